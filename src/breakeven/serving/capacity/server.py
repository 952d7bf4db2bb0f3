"""A service in a process of its own, pinned to cores, for a load test."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from breakeven.core.child_process import end_with_parent
from breakeven.core.errors import Failed
from breakeven.core.ports import free_port
from breakeven.serving.served_model import ServedModel
from breakeven.serving.settings import ServiceSettings

HOST = "127.0.0.1"
LOOK_S = 0.1  # between two looks whether it is ready


@contextmanager
def served(model: ServedModel, settings: ServiceSettings, cores: Sequence[int]) -> Iterator[str]:
    """Yield the address of a service; it and its processes run on these cores until the block ends.

    Raises:
        Failed: it does not start, or eager answers in the variant's place.
    """
    port = free_port()
    # Not a daemon: those may have no processes of their own.
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(model, settings, [*cores], port, os.getpid())
    )
    process.start()
    try:
        _wait(process, port, settings.start_limit_s)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.join(10)
        process.kill()
        process.join()


def _wait(process: Any, port: int, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.is_alive():
        try:
            with urlopen(f"http://{HOST}:{port}/readyz", timeout=limit_s) as answer:
                said = answer.read().decode()
            if '"ok"' not in said:
                raise Failed(f"the service does not answer with the variant: {said}")
            return
        except (URLError, ConnectionError):
            time.sleep(LOOK_S)
    raise Failed(f"the service is not ready after {limit_s:g} s, or has ended")


def _serve(model: ServedModel, settings: ServiceSettings, cores: list[int], port: int, parent: int) -> None:
    from breakeven.serving import run
    from breakeven.serving.service import Service

    end_with_parent(parent, signal.SIGTERM)
    os.sched_setaffinity(0, cores)
    run.run(Service(model, settings), HOST, port, is_quiet=True)
