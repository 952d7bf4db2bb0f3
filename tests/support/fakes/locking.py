"""A runtime whose calls hold the interpreter's lock, or release it."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.plugins.runtimes.base import ExportInput, Runtime, Session
from fakes import logits


class Locking(Runtime):
    """Calls take `pause_s`: asleep, or busy in Python if it `holds` the lock."""

    modules = ("numpy",)
    holds: bool = False
    pause_s: float = 0.002

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Nothing."""

    def load(self, folder: Path, *place: Any) -> Session:
        """Nothing is loaded."""

        def run(inputs: Any) -> Any:
            if self.holds:
                end = time.thread_time() + self.pause_s  # of processor time: waiting for the lock is none
                while time.thread_time() < end:
                    pass
            else:
                time.sleep(self.pause_s)
            return logits(inputs)

        return Session(np.ascontiguousarray, run, np.asarray)
