"""A test of how long a user waits until a known slowdown of one of two variants is found."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.engine.comparison import compare_to_baseline
from breakeven.engine.schedule import Schedule
from breakeven.engine.selftest.aa_copies import MODELS, slowed_artifact
from breakeven.engine.settings import SINGLE_STREAM, TWIN, Budget
from breakeven.engine.statistics import SLOWER

LIMIT_S = 180.0


@dataclass(frozen=True)
class Wait:
    """One run of the engine on a model and a copy that is slower by `share`."""

    model: str
    share: float

    def run(self, folder: Path, seed: int) -> dict[str, Any]:
        """Measure until the copy is called slower; return the seconds, or None after three minutes.

        Args:
            folder: a folder for the artifacts.
            seed: the seed of the engine's random order.
        """
        model = MODELS[self.model]
        artifact = slowed_artifact(model, "onnxruntime", 0.0, folder)
        variants = {
            "base": artifact,
            TWIN: artifact,
            "copy": slowed_artifact(model, "onnxruntime", self.share, folder),
        }
        images, caches = (
            folder / f"wait-{self.model}.npy",
            folder / f"wait-{self.model}-{self.share:g}-{seed}",
        )
        np.save(images, model.images(1))
        caches.mkdir()
        budget, started = Budget(seed=seed), time.monotonic()
        hardware = {"name": "cpu", "threads": 1}
        schedule = Schedule(variants, hardware, images, SINGLE_STREAM, budget, False, caches)
        count, found = 0, False
        while (spent := time.monotonic() - started) < LIMIT_S and not found:
            schedule.replicate()
            count += 1
            if count >= budget.min_replicates:
                comparisons = compare_to_baseline(schedule.samples, budget.confidence, budget.margin)
                found = comparisons.of["copy"].verdict == SLOWER
            due = max(budget.min_replicates - count, 1)
            schedule.choose_rounds(max(LIMIT_S - spent, 0.0) / due, due)
        condition = f"{self.model} in onnxruntime, 1 thread, {self.share:.0%}"
        spent = time.monotonic() - started
        return {"condition": condition, "seconds": spent if found else None, "replicates": count}
