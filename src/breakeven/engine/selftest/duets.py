"""A test of the duet: two equal copies of a model, in duet and in turns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from breakeven.core import plugin
from breakeven.engine import duet
from breakeven.engine.measure import measure_artifacts
from breakeven.engine.selftest.aa_copies import MODELS, half_width, slowed_artifact
from breakeven.engine.selftest.models import again
from breakeven.engine.settings import SINGLE_STREAM, Budget

SECONDS_PER_VARIANT = 5.0
HARDWARE = {"name": "cpu", "threads": 1}


def why_not() -> str:
    """Return why this machine cannot run two variants at the same time; "" if it can."""
    return duet.why_not(plugin.load("hardware", HARDWARE, "hardware"), SINGLE_STREAM)


def run(model: str, folder: Path, seed: int) -> dict[str, Any]:
    """Measure a copy in duet and in turns, and return how narrow both are, and whether the guard holds.

    Args:
        folder: a folder for the artifacts.
        seed: the seed of the engine's random order.
    """
    base = slowed_artifact(MODELS[model], "onnxruntime", 0.0, folder)
    pair = {"base": base, "copy": again(base, 1)}
    budget = replace(Budget(seed=seed), seconds_per_variant=SECONDS_PER_VARIANT, half_width=0.0)
    found: dict[str, Any] = {"condition": f"{model} in onnxruntime, 1 thread"}
    for name, measure in (("duet", duet.measure_in_duet), ("turns", measure_artifacts)):
        measured = measure(pair, HARDWARE, budget, MODELS[model].images(1))
        speedup = measured["copy"].speedup
        found[name] = {
            "verdict": measured["copy"].verdict,
            "half_width": half_width(vars(speedup)) if speedup else None,
            "doubt": measured.doubt,
            "seconds": measured.seconds,
        }
    return found
