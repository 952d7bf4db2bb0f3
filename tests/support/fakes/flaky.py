"""A runtime that fails in a share of its calls, each time in another way."""

import itertools
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.plugins.runtimes.base import ExportInput, Runtime, Session
from fakes import logits

WARM_UP = 1  # calls before the first fault


def error(output: Any) -> Any:
    raise ValueError("no such kernel")


def nan(output: Any) -> Any:
    return np.full_like(output, np.nan)


def hang(output: Any) -> Any:
    time.sleep(10_000)


def killed(output: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


FAULTS: dict[str, Callable[[Any], Any]] = {f.__name__: f for f in (error, nan, hang, killed)}


class Flaky(Runtime):
    """Fails in the share `share` of its calls, by the faults in `faults`."""

    modules = ("numpy",)
    share: float = 0.0
    faults: list[str] = [*FAULTS]  # noqa: RUF012  (a pydantic field)
    pause_s: float = 0.0  # of each call

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Nothing."""

    def load(self, folder: Path, *place: Any) -> Session:
        """Nothing is loaded."""
        calls, chance = itertools.count(), random.Random(os.getpid())

        def run(inputs: Any) -> Any:
            time.sleep(self.pause_s)
            output = logits(inputs)
            if next(calls) >= WARM_UP and chance.random() < self.share:
                return FAULTS[chance.choice(self.faults)](output)
            return output

        return Session(np.ascontiguousarray, run, np.asarray)
