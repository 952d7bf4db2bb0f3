"""A test of what ran before a block: a polluter empties the caches before the blocks of one of two copies."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.engine.levels import log_levels
from breakeven.engine.measure import run_replicates
from breakeven.engine.schedule import Schedule
from breakeven.engine.selftest.aa_copies import MODELS
from breakeven.engine.selftest.models import again, made
from breakeven.engine.settings import SINGLE_STREAM, TWIN, Budget
from breakeven.engine.target import CallTarget, Variant

POLLUTER, AFTER, CLEAN = "polluter", "after the polluter", "clean"
MEGABYTES = 64


def reading() -> Callable[[], int]:
    """Return a function that reads 64 MB."""
    memory = b"\1" * (MEGABYTES * 2**20)
    return partial(memory.find, b"\0")


class PollutedSchedule(Schedule):
    """A schedule in which the polluter always runs just before one copy, and never before the other."""

    def orders(self, turns: Sequence[str]) -> Iterator[list[str]]:
        """Yield the orders of a fair schedule, with the polluter moved."""
        for order in super().orders(turns):
            rest = [name for name in order if name != POLLUTER]
            at = rest.index(AFTER)
            yield [*rest[:at], POLLUTER, *rest[at:]]


def run(model: str, folder: Path, seed: int) -> dict[str, Any]:
    """Measure both copies, and return the log of their ratio in each replicate.

    Args:
        folder: a folder for the artifacts.
        seed: the seed of the engine's random order.
    """
    artifact = made(MODELS[model], "onnxruntime", folder / f"carry-{model}")
    images, caches = folder / f"carry-{model}.npy", folder / f"carry-{model}-{seed}-caches"
    np.save(images, MODELS[model].images(1))
    caches.mkdir()
    variants: dict[str, Variant] = {
        "base": artifact,
        TWIN: artifact,
        AFTER: again(artifact, 1),
        CLEAN: again(artifact, 2),
        POLLUTER: CallTarget("import", __name__, reading.__name__),
    }
    budget = Budget(seed=seed)
    hardware = {"name": "cpu", "threads": 1}
    schedule = PollutedSchedule(variants, hardware, images, SINGLE_STREAM, budget, False, caches)
    run_replicates(schedule, budget.time_limit_s(len(variants)), time.monotonic(), lambda step: None)
    levels = log_levels({name: own.replicates for name, own in schedule.samples.items()})
    return {
        "condition": f"{model} in onnxruntime, 1 thread",
        "log_ratios": (levels[AFTER] - levels[CLEAN]).tolist(),
    }
