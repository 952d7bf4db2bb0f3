"""A run in MLflow that follows long work while it goes on: its curves, and how busy the machine is."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psutil

from breakeven.tracking import training_figures
from breakeven.tracking._mlflow_private import SystemMetrics
from breakeven.tracking.address import require_listener, warn
from breakeven.tracking.client import Tracker
from breakeven.tracking.origin import origin_tags

SAMPLED_EVERY_S = 10.0  # interval between samples of the machine's load
Log = Callable[[Mapping[str, float]], None]


@contextlib.contextmanager
def run(
    name: str,
    key: str,
    tags: Mapping[str, str],
    params: Mapping[str, Any],
    sampled_every_s: float = SAMPLED_EVERY_S,
) -> Iterator[Log]:
    """Open a run that follows long work; yield the function that logs a step's figures.

    A resumed training continues its own run. The run ends FINISHED, FAILED or KILLED as the block does.
    If MLflow fails, print one warning and continue without it.

    Args:
        sampled_every_s: seconds between samples of how busy the machine is.
    """
    store, run, broken = None, None, False
    try:
        store = Tracker()
        store.end_dead_runs()
        run = _open(store, name, key, {**tags, **origin_tags()})
        store.log(run, params)
    except Exception as error:
        warn(error)
        broken = True

    def log(figures: Mapping[str, float]) -> None:
        nonlocal broken
        if broken or store is None or run is None:
            return
        try:
            step = int(figures.get("epoch", -1)) + 1
            metrics, constants = training_figures.split({k: v for k, v in figures.items() if k != "epoch"})
            store.log(run, constants, metrics, step)
        except Exception as error:
            warn(error)
            broken = True

    status = "FAILED"
    try:
        with contextlib.ExitStack() as stack:
            if store is not None and run is not None and not broken:
                stack.enter_context(_watched(store, run, sampled_every_s))
            yield log
        status = "FINISHED"
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    finally:
        if store is not None and run is not None:
            # Also a run that could not log everything should not stay RUNNING. If this fails, the warning was
            # printed already, and `sync` repairs the rest.
            with contextlib.suppress(Exception):
                require_listener(store.uri)
                store.end(run, status)


@contextlib.contextmanager
def _watched(store: Tracker, run: str, every_s: float) -> Iterator[None]:
    """Log the machine's load with MLflow's monitors until the block ends.

    A run that is shorter than `every_s` logs nothing. If MLflow fails, logging ends silently, because the
    run's next figures will fail as well and print the warning.
    """
    if os.environ.get("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "").lower() in ("false", "0"):
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        with contextlib.suppress(Exception):  # some containers hide their load
            metrics = SystemMetrics(run, every_s, store.uri)
            psutil.cpu_percent()  # the next call covers the time from here
            while not ended.wait(metrics.every_s):
                metrics.log()

    thread = threading.Thread(target=watch, name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _open(store: Tracker, name: str, key: str, tags: Mapping[str, Any]) -> str:
    """Resume the interrupted run of this training, or create a new one; return its id."""
    killed = store.find(key, " and attributes.status = 'KILLED'")
    if not killed:
        return store.create(name, key, tags)
    run: str = killed.info.run_id
    store.client.update_run(run, "RUNNING")
    for tag, value in tags.items():
        store.tag(run, tag, value)
    return run
