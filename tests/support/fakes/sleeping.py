"""A runtime that leaves the processor alone: its calls can overlap however few cores there are."""

import json
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.plugins.runtimes.base import ExportInput, Runtime, Session
from fakes import logits

CALL_S = 0.002


class Sleeping(Runtime):
    """Sleeps `times` 2 ms in each call; appends to the file `log` a line a call: who, when, on which cores.

    Each call lasts longer by up to the share `jitter`, drawn at random.
    """

    modules = ("numpy",)
    times: int = 1
    jitter: float = 0.0
    log: str = os.devnull

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Nothing."""

    def load(self, folder: Path, *place: Any) -> Session:
        """Nothing is loaded."""

        def run(inputs: Any) -> Any:
            start = time.monotonic()
            time.sleep(self.times * CALL_S * (1 + self.jitter * random.random()))
            process = os.getpid()
            caller = f"{process}-{threading.get_ident()}"
            made = {"process": process, "caller": caller, "start": start, "end": time.monotonic()}
            made["cores"] = sorted(os.sched_getaffinity(0))
            with Path(self.log).open("a") as file:
                file.write(json.dumps(made) + "\n")
            return logits(inputs)

        return Session(np.ascontiguousarray, run, np.asarray)
