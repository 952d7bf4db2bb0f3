"""A run in MLflow that follows long work while it goes on: its curves, and how busy the machine is."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psutil

from breakeven.tracking._mlflow_private import SystemMetrics
from breakeven.tracking.client import KEY, Tracker, origin, warn

SAMPLED_EVERY_S = 10.0  # how busy the machine is
Log = Callable[[Mapping[str, float]], None]


@contextlib.contextmanager
def run(
    name: str,
    key: str,
    tags: Mapping[str, str],
    params: Mapping[str, Any],
    sampled_every_s: float = SAMPLED_EVERY_S,
) -> Iterator[Log]:
    """A run that follows long work while it goes on; gives the function that logs a step's figures.

    A training that is resumed goes on in its own run. The run ends FINISHED, FAILED or KILLED as the block
    does. Whatever the store does wrong costs one warning.

    Args:
        sampled_every_s: how busy the machine is, under MLflow's names.
    """
    store, run = None, None
    try:
        store = Tracker()
        store.reap()
        run = _open(store, name, key, {**tags, **origin()})
        store.log(run, params)
    except Exception as error:
        warn(error)
        store = None

    def log(figures: Mapping[str, float]) -> None:
        nonlocal store
        if store is None or run is None:
            return
        try:
            step = int(figures.get("epoch", -1)) + 1
            store.log(run, figures={k: v for k, v in figures.items() if k != "epoch"}, step=step)
        except Exception as error:
            warn(error)
            store = None

    status = "FAILED"
    try:
        with contextlib.ExitStack() as stack:
            if store is not None and run is not None:
                stack.enter_context(_watched(store, run, sampled_every_s))
            yield log
        status = "FINISHED"
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    finally:
        if store is not None and run is not None:
            with contextlib.suppress(Exception):  # the warning is out; `sync` repairs the rest
                store.end(run, status)


@contextlib.contextmanager
def _watched(store: Tracker, run: str, every_s: float) -> Iterator[None]:
    """Log how busy the machine is, by MLflow's own monitors and names, until the block ends.

    A run that is shorter than `every_s` logs nothing. A store that fails ends it without a word: the next
    figures of the run will fail, too, and say so.
    """
    if os.environ.get("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "").lower() in ("false", "0"):
        yield
        return
    over = threading.Event()

    def watch() -> None:
        with contextlib.suppress(Exception):  # also where the system does not tell, as in some containers
            metrics = SystemMetrics(run, every_s, store.uri)
            psutil.cpu_percent()  # from now on
            while not over.wait(metrics.every_s):
                metrics.log()

    thread = threading.Thread(target=watch, name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _open(store: Tracker, name: str, key: str, tags: Mapping[str, Any]) -> str:
    """The interrupted run of the same training, or a new one."""
    runs = store.client.search_runs(
        [store.experiment],
        f"tags.`{KEY}` = '{key}' and attributes.status = 'KILLED'",
        max_results=1,
        order_by=["attributes.start_time DESC"],
    )
    if not runs:
        return store.create(name, key, tags)
    run: str = runs[0].info.run_id
    store.client.update_run(run, "RUNNING")
    for tag, value in tags.items():
        store.client.set_tag(run, tag, str(value))
    return run
