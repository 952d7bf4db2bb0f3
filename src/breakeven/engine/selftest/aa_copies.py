"""Runs of the engine on copies of one model, equally fast or slowed by a known share."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.engine.measure import measure_artifacts
from breakeven.engine.selftest.models import CNN, RESNET18, Model, again, made
from breakeven.engine.selftest.synthetic_load import bursts
from breakeven.engine.settings import TWIN, Budget

MODELS = {model.name: model for model in (CNN, RESNET18)}


@dataclass(frozen=True)
class Trial:
    """The settings of one run of the engine on copies of a model."""

    model: str
    runtime: str = "onnxruntime"
    threads: int = 1
    loaded: bool = False
    shares: tuple[float, ...] = (0.0,) * 10  # the share by which each copy is slower
    seconds_per_variant: float | None = None  # None: the default budget

    @property
    def condition(self) -> str:
        """Return a description of the run for people."""
        load = "bursts of load" if self.loaded else "quiet"
        return f"{self.model} in {self.runtime}, {self.threads} thread{'s'[: self.threads - 1]}, {load}"

    def run(self, folder: Path, seed: int) -> dict[str, Any]:
        """Measure the copies, and return the findings as values that JSON can hold.

        Args:
            folder: a folder for the artifacts.
            seed: the seed of the engine's random order.
        """
        model = MODELS[self.model]
        variants = {"base": _artifact(model, self.runtime, 0.0, folder)}
        for index, slower in enumerate(self.shares):
            plain = _artifact(model, self.runtime, slower, folder)
            # Half of the copies have folders of their own. They share the baseline's fork server, and its
            # memory layout of libraries, as variants of one runtime do. The other copies share one folder;
            # the engine treats them as twins and gives each a fork server of its own.
            variants[f"copy{index}"] = again(plain, index) if index % 2 else plain
        budget = Budget(seed=seed)
        if self.seconds_per_variant is not None:
            budget = replace(budget, seconds_per_variant=self.seconds_per_variant)
        with bursts(self.loaded):
            hardware = {"name": "cpu", "threads": self.threads}
            measured = measure_artifacts(variants, hardware, budget, model.images(1))
        base = measured["base"].replicates
        levels = measured.findings.levels
        rows = []
        for name, slower in zip(list(variants)[1:], self.shares, strict=True):
            comparison = measured[name]
            assert comparison.speedup, comparison.reason
            rows.append(
                {
                    "slower": slower,
                    "verdict": comparison.verdict,
                    "speedup": asdict(comparison.speedup),
                    "log_ratios": np.subtract(levels["base"], levels[name]).tolist(),
                    "blocks": _blocks(comparison.replicates),
                }
            )
        return {
            "condition": self.condition,
            "stopped": measured.stopped,
            "seconds": measured.seconds,
            "fault": measured.findings.fault,
            "control": asdict(control) if (control := measured[TWIN].speedup) else None,
            "warnings": [warning.name for warning in measured.warnings],
            "base": _blocks(base),
            "copies": rows,
        }


def half_width(speedup: dict[str, float]) -> float:
    """Return half the width of an interval, as a share of the speedup."""
    return math.expm1(math.log(speedup["high"] / speedup["low"]) / 2)


def _blocks(replicates: Sequence[Any]) -> list[list[list[float]]]:
    """Return mean and median call of each block, milliseconds, shape (replicates, blocks, 2)."""
    return [
        [[block.mean_ms, sorted(block.calls_ms)[len(block.calls_ms) // 2]] for block in replicate.blocks]
        for replicate in replicates
    ]


def _artifact(model: Model, runtime: str, slower: float, folder: Path) -> Path:
    settings: dict[str, Any] = {"name": runtime}
    if slower:
        settings = {"name": "breakeven.engine.selftest.slowed", "of": settings, "share": slower}
    return made(model, runtime, folder / f"{model.name}-{runtime}-{slower:g}", settings)
