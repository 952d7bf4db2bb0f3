"""A runtime that writes down in each of its calls when it ran, and on which cores."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session
from fakes import logits

CALL_S = 0.002


class Placed(Runtime):
    """Sleeps, and appends to the file `log` a line a call: its process, its cores, and its start."""

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
            began = time.monotonic()
            time.sleep(CALL_S)
            with Path(self.log).open("a") as file:
                cores = sorted(os.sched_getaffinity(0))
                file.write(json.dumps({"process": os.getpid(), "cores": cores, "began": began}) + "\n")
            return logits(inputs)

        return Session(np.ascontiguousarray, run, np.asarray)
