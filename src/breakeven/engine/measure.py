"""The measurement of artifacts on one hardware within a budget; `api.py` measures callables."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.core.errors import UserError
from breakeven.core.files import temporary_folder
from breakeven.engine.background_load import BackgroundLoad
from breakeven.engine.comparison import Comparison, ComparisonSet, compare_to_baseline
from breakeven.engine.quality_checks import QualityWarning, list_warnings
from breakeven.engine.samples import OK
from breakeven.engine.schedule import Schedule
from breakeven.engine.settings import SINGLE_STREAM, TWIN, Budget, RunProgress, Scenario


@dataclass(frozen=True)
class Measurement:
    """The findings of a run, with its duration and warnings."""

    findings: ComparisonSet
    stopped: str  # the reason: narrow intervals, the end of the time, or a failure
    seconds: float
    warnings: list[QualityWarning]

    def __getitem__(self, variant: str) -> Comparison:
        return self.findings.of[variant]


def measure_artifacts(
    variants: Mapping[str, Path],
    hardware: Mapping[str, Any],
    budget: Budget,
    images: NDArray[np.integer[Any]],
    scenario: Scenario = SINGLE_STREAM,
    scored: bool = False,
    progress: Callable[[RunProgress], None] = lambda step: None,
) -> Measurement:
    """Measure artifacts in turns, and compare each with the first, which is the baseline.

    Adds a twin of the baseline, the A/A control. A variant that fails takes no further part in the run; its
    comparison holds the reason.

    Args:
        variants: name -> the folder of an artifact.
        hardware: the settings of one hardware option.
        images: shape (N, C, H, W), or tokens of shape (N, L). A batch of more than N images repeats some.
        scored: fail an artifact whose outputs differ from those of its scoring, which used these images.
        progress: a function that the run calls after each replicate.

    Raises:
        UserError: a variant has the name of the twin.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from breakeven.engine.measure import measure_artifacts
    >>> from breakeven.engine.settings import Budget
    >>> from breakeven.engine.selftest.models import CNN, write
    >>> with TemporaryDirectory() as folder:
    ...     images = CNN.images(1)
    ...     variants = {name: write(CNN, name, Path(folder, name)) for name in ("eager", "onnxruntime")}
    ...     budget = Budget(min_replicates=3, seconds=1, seconds_per_variant=1)
    ...     found = measure_artifacts(variants, {"name": "cpu", "threads": 1}, budget, images)
    >>> found["onnxruntime"].verdict
    'faster'
    >>> found["twin"].verdict
    'control'
    """
    if TWIN in variants:
        raise UserError(f"variants: {TWIN!r} is the name of the baseline's copy; choose another one.")
    started = time.monotonic()
    others = BackgroundLoad()
    base, folder = next(iter(variants.items()))
    everyone = {base: folder, TWIN: folder, **{k: v for k, v in variants.items() if k != base}}
    limit = budget.time_limit_s(len(variants))
    with temporary_folder() as scratch:
        path = scratch / "images.npy"
        np.save(path, images[np.arange(scenario.batch_size) % len(images)])
        caches = scratch / "caches"
        caches.mkdir()
        schedule = Schedule(everyone, hardware, path, scenario, budget, scored, caches)
        stopped = run_replicates(schedule, limit, started, progress)
    found = compare_to_baseline(schedule.samples, budget.confidence, budget.margin)
    seconds = time.monotonic() - started
    warnings = list_warnings(schedule.samples, found, budget, others.percent)
    return Measurement(found, stopped, seconds, warnings)


def run_replicates(
    schedule: Schedule, limit_s: float, started: float, progress: Callable[[RunProgress], None]
) -> str:
    """Run replicates until the intervals are narrow enough or the time is up; return why they stopped.

    A failure of the baseline or the twin also ends the run.

    Args:
        schedule: a schedule whose first variant is the baseline, and whose second is the twin.
        limit_s: the time budget, seconds.
        started: the value of `time.monotonic` when the time budget began.
        progress: a function that the run calls after each replicate.
    """
    budget, (base, *_) = schedule.budget, schedule.samples
    stopped = ""
    for count in range(1, budget.max_replicates + 1):
        schedule.replicate()
        needed = {"baseline": schedule.samples[base].status, "twin": schedule.samples[TWIN].status}
        if fallen := [f"{name} {status}" for name, status in needed.items() if status != OK]:
            return fallen[0]
        spent, width = time.monotonic() - started, None
        if count >= 2:
            width = compare_to_baseline(schedule.samples, budget.confidence, budget.margin).half_width
        # This assumes that the next replicates take as long as the past ones.
        fit = int(limit_s * count / spent)
        most = max(budget.min_replicates, 2, min(budget.max_replicates, fit))
        enough = max(budget.min_replicates, budget.narrow_replicates)
        if width is not None and width <= budget.half_width and count >= enough:
            most, stopped = count, f"every interval within ±{budget.half_width:.1%}"
        elif fit <= count:
            stopped = f"time budget of {limit_s:.0f} s spent"
        else:
            stopped = f"{budget.max_replicates} replicates done"
        left = max(0, most - count) * spent / count
        progress(RunProgress(count, spent, limit_s, left, width))
        if count >= most:
            break
    return stopped
