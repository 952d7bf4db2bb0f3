"""A runtime that does in its calls what makes their times worthless."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from breakeven.plugins.runtimes.base import ExportInput, Runtime, Session
from fakes import logits


class Careless(Runtime):
    """Writes into its inputs, or takes more threads than it may: when it is loaded, or in its calls."""

    modules = ("numpy",)
    fault: Literal["writes", "loads with threads", "calls with threads"]

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Nothing."""

    def load(self, folder: Path, *place: Any) -> Session:
        """Nothing is loaded."""
        threads = 7 if self.fault == "loads with threads" else 1

        def run(inputs: Any) -> Any:
            nonlocal threads
            output = logits(inputs)
            if self.fault == "writes":
                inputs *= 2
            if self.fault == "calls with threads":
                threads = 7
            return output

        return Session(np.asarray, run, np.asarray, lambda: threads)
