"""A runtime that looks at the other workers in each of its calls, and writes down what it saw."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session
from fakes import logits

PATIENCE_S = 10  # a signal is not sent and obeyed at the same moment; who is not to stop does not in any time


class Spying(Runtime):
    """Appends to the file `log` a line a call.

    What it was to prepare for, the batch, how many others there were, which did not stop, and its inputs.
    """

    modules = ("numpy",)
    log: str

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Nothing."""

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Nothing is loaded."""

        def run(inputs: Any) -> Any:
            deadline = time.monotonic() + PATIENCE_S
            while (awake := _awake(others := _others())) and time.monotonic() < deadline:
                time.sleep(0.001)
            with Path(self.log).open("a") as file:
                told = {"told": [place.batch, place.callers]}
                seen = {**told, "batch": len(inputs), "others": len(others), "awake": awake}
                seen |= {"process": os.getpid(), "mean": float(inputs.mean())}
                file.write(json.dumps(seen) + "\n")
            return logits(inputs)

        return Session(np.ascontiguousarray, run, np.asarray)


def _others() -> list[psutil.Process]:
    """The other workers of the process that measures: all that its fork servers have forked."""
    measuring = psutil.Process(os.getppid()).parent()
    assert measuring
    servers = measuring.children()
    return [worker for server in servers for worker in server.children() if worker.pid != os.getpid()]


def _awake(workers: list[psutil.Process]) -> list[str]:
    """How those are that are not stopped."""
    found = []
    for worker in workers:
        try:
            status = worker.status()
        except psutil.NoSuchProcess:
            continue
        if status not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            found.append(status)
    return found
