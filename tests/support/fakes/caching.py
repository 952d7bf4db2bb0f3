"""A runtime that compiles at its first start, and keeps that where it is told to."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.plugins.runtimes.base import ExportInput, Runtime, Session
from fakes import logits

COMPILING_S = 0.3


class Caching(Runtime):
    """Keeps one file in the folder that `FAKE_CACHE` names."""

    modules = ("numpy",)
    caches = ("FAKE_CACHE",)

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Nothing."""

    def load(self, folder: Path, *place: Any) -> Session:
        """Slow if there is no file yet."""
        compiled = Path(os.environ["FAKE_CACHE"], "compiled")
        if not compiled.exists():
            time.sleep(COMPILING_S)
            compiled.write_text("once")
        return Session(np.ascontiguousarray, logits, np.asarray)
