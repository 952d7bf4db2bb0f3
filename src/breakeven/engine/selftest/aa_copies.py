"""Runs of the engine on copies of one model, equally fast or slowed by a known share."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.engine.measure import measure_artifacts
from breakeven.engine.samples import Replicate
from breakeven.engine.selftest.models import CNN, RESNET18, Model, again, made
from breakeven.engine.selftest.synthetic_load import bursts
from breakeven.engine.settings import TWIN, Budget
from breakeven.engine.tails import p99

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
        variants = {"base": slowed_artifact(model, self.runtime, 0.0, folder)}
        for index, slower in enumerate(self.shares):
            plain = slowed_artifact(model, self.runtime, slower, folder)
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
                    "rounds": _rounds(comparison.replicates),
                    "p99": asdict(p99(comparison.replicates, budget.confidence)),
                }
            )
        return {
            "condition": self.condition,
            "stopped": measured.stopped,
            "seconds": measured.seconds,
            "fault": measured.findings.fault,
            "control": asdict(control) if (control := measured[TWIN].speedup) else None,
            "warnings": [warning.name for warning in measured.warnings],
            "base": _rounds(base),
            "copies": rows,
        }


def half_width(speedup: dict[str, float]) -> float:
    """Return half the width of an interval, as a share of the speedup."""
    return math.expm1(math.log(speedup["high"] / speedup["low"]) / 2)


def _rounds(replicates: Sequence[Replicate]) -> list[list[list[float]]]:
    """Return for each replicate the mean and the median call of each round, milliseconds.

    The baseline has several blocks in a round; its figures are their means.
    """
    found = []
    for replicate in replicates:
        rounds: dict[int, list[tuple[float, float]]] = {}
        for block in replicate.blocks:
            figures = (block.mean_ms, float(np.median(block.calls_ms)))
            rounds.setdefault(block.round, []).append(figures)
        found.append([np.mean(own, axis=0).tolist() for _, own in sorted(rounds.items())])
    return found


def slowed_artifact(model: Model, runtime: str, slower: float, folder: Path) -> Path:
    """Return the folder of an artifact of `model` whose calls take longer by a share of their time."""
    settings: dict[str, Any] = {"name": runtime}
    if slower:
        settings = {"name": "breakeven.engine.selftest.slowed", "of": settings, "share": slower}
    return made(model, runtime, folder / f"{model.name}-{runtime}-{slower:g}", settings)
