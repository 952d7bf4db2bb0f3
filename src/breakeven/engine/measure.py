"""The measurement of artifacts on one hardware within a budget; `api.py` measures callables."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import MANIFEST
from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.core.files import temporary_folder
from breakeven.engine.background_load import BackgroundLoad
from breakeven.engine.comparison import Comparison, ComparisonSet, compare_to_baseline
from breakeven.engine.interpreter import Interpreter
from breakeven.engine.quality_checks import QualityWarning, list_warnings, unbounded
from breakeven.engine.samples import OK
from breakeven.engine.schedule import Schedule
from breakeven.engine.settings import SINGLE_STREAM, TWIN, Budget, RunProgress, Scenario

TIMED_BATCHES, TIMED_BYTES = 64, 2**26  # at most, in the file that the workers read


@dataclass(frozen=True)
class Measurement:
    """The findings of a run, with its duration and warnings."""

    findings: ComparisonSet
    stopped: str  # the reason: narrow intervals, the end of the time, or a failure
    seconds: float
    warnings: list[QualityWarning]
    guarded: ComparisonSet | None = None  # the findings with the guards, if there are any
    doubt: str = ""  # why the findings of a duet do not count

    def __getitem__(self, variant: str) -> Comparison:
        return self.findings.of[variant]


def measure_artifacts(
    variants: Mapping[str, Path | str],
    hardware: Mapping[str, Any],
    budget: Budget,
    images: NDArray[Any],
    scenario: Scenario = SINGLE_STREAM,
    scored: bool = False,
    progress: Callable[[RunProgress], None] = lambda step: None,
    costs: Mapping[str, Sequence[float]] | None = None,
    interpreters: Mapping[str, Interpreter] | None = None,
    kind: type[Schedule] = Schedule,
    guards: Mapping[str, Path] | None = None,
) -> Measurement:
    """Measure artifacts in turns, and compare each with the first, which is the baseline.

    Adds a twin of the baseline, the A/A control. A variant that fails takes no further part in the run; its
    comparison holds the reason.

    Each round times all variants with the same images, and the next round with others.

    Args:
        variants: name -> the folder of an artifact.
        hardware: the settings of one hardware option.
        images: shape (N, C, H, W), tokens of shape (N, L), or features of shape (N, F). A batch of more than
            N of them repeats some.
        scored: fail an artifact whose outputs differ from those of its scoring, which used these images.
        progress: a function that the run calls after each replicate.
        costs: name -> what a variant costs besides time, for example its size; lower is better. A variant
            stops being measured once another one is surely faster and costs no more. Variants without costs
            are measured to the end.
        interpreters: name -> the Python that runs it; this one by default.
        kind: the schedule of the run.
        guards: name -> an artifact that is measured beside the variants by the baseline's Python, and that
            only `Measurement.guarded` holds.

    Raises:
        UserError: there is no variant, or one has the name of the twin or no artifact in its folder; the
            hardware's settings are wrong; or the images are no numbers from 0 to 255.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from breakeven.engine.measure import measure_artifacts
    >>> from breakeven.engine.settings import Budget
    >>> from breakeven.engine.selftest.models import CNN, write
    >>> with TemporaryDirectory() as folder:
    ...     images = CNN.images(1)
    ...     variants = {name: write(CNN, name, Path(folder, name)) for name in ("eager", "onnxruntime")}
    ...     budget = Budget(min_replicates=3, seconds=1, seconds_per_variant=1)
    ...     measurement = measure_artifacts(variants, {"name": "cpu", "threads": 1}, budget, images)
    >>> measurement["onnxruntime"].verdict
    'faster'
    >>> measurement["twin"].verdict
    'twin'
    """
    folders = {name: Path(folder) for name, folder in variants.items()}
    _require_valid(folders, hardware, images)
    started = time.monotonic()
    load = BackgroundLoad()
    base, folder = next(iter(folders.items()))
    limit = budget.time_limit_s(len(folders))
    folders = {base: folder, TWIN: folder, **{k: v for k, v in folders.items() if k != base}}
    folders |= guards or {}
    with temporary_folder() as scratch:
        path = scratch / "images.npy"
        np.save(path, images[_timed(images, scenario.batch_size, budget.seed)])
        caches = scratch / "caches"
        caches.mkdir()
        pythons = dict(interpreters or {})
        if base in pythons:
            pythons |= dict.fromkeys([TWIN, *(guards or ())], pythons[base])
        schedule = kind(folders, hardware, path, scenario, budget, scored, caches, pythons)
        stopped = run_replicates(schedule, limit, started, progress, costs or {})
    samples = {name: own for name, own in schedule.samples.items() if name not in (guards or ())}
    comparisons = compare_to_baseline(samples, budget.confidence, budget.margin)
    seconds = time.monotonic() - started
    warnings = list_warnings(samples, comparisons, budget, load.percent)
    guarded = compare_to_baseline(schedule.samples, budget.confidence, budget.margin) if guards else None
    return Measurement(comparisons, stopped, seconds, warnings, guarded)


def _timed(images: NDArray[Any], batch_size: int, seed: int) -> NDArray[np.intp]:
    """Return the numbers of the images to time: several batches, because a call may take longer for some.

    The first batch holds the first images, whose outputs a worker checks. The others are drawn at random.
    """
    drawn = np.random.default_rng(seed).permutation(np.arange(batch_size, len(images)))
    affordable = TIMED_BYTES // (batch_size * images[0].nbytes)
    more = max(0, min(len(drawn) // batch_size, affordable - 1, TIMED_BATCHES - 1))
    return np.concatenate([np.arange(batch_size) % len(images), drawn[: more * batch_size]])


def _require_valid(variants: Mapping[str, Path], hardware: Mapping[str, Any], images: NDArray[Any]) -> None:
    """Check the arguments of `measure_artifacts`."""
    if not variants:
        raise UserError("variants: give at least one, the baseline.")
    if TWIN in variants:
        raise UserError(f"variants: {TWIN!r} is the name of the baseline's copy; choose another one.")
    for name, folder in variants.items():
        if not (folder / MANIFEST).is_file():
            raise UserError(f"variants[{name!r}]: {folder} holds no artifact: it has no {MANIFEST}.")
    plugin.load("hardware", hardware, "hardware")
    takes_pixels = images.ndim == 4 and any(artifact.read(folder).mean for folder in variants.values())
    fields = images.dtype.fields
    kinds = {kind.base.kind for kind, *_ in fields.values()} if fields else {images.dtype.kind}
    if not kinds <= set("iufb") or not len(images) or (takes_pixels and images.dtype != np.uint8):
        raise UserError(
            f"images: give at least one image, as uint8 from 0 to 255, or tokens, or features: these are "
            f"{len(images)} of {images.dtype}."
        )


def run_replicates(
    schedule: Schedule,
    limit_s: float,
    started: float,
    progress: Callable[[RunProgress], None],
    costs: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Run replicates until the intervals are narrow enough or the time is up; return why they stopped.

    A failure of the baseline or the twin also ends the run.

    Args:
        schedule: a schedule whose first variant is the baseline, and whose second is the twin.
        limit_s: the time budget, seconds.
        started: the value of `time.monotonic` when the time budget began.
        progress: a function that the run calls after each replicate.
        costs: as of `measure_artifacts`.
    """
    budget, (base, *_) = schedule.budget, schedule.samples
    stopped = ""
    for count in range(1, budget.max_replicates + 1):
        began = time.monotonic()
        schedule.replicate()
        needed = {"baseline": schedule.samples[base].status, "twin": schedule.samples[TWIN].status}
        if fallen := [f"{name} {status}" for name, status in needed.items() if status != OK]:
            return fallen[0]
        spent = time.monotonic() - started
        found = compare_to_baseline(schedule.samples, budget.confidence, budget.margin)
        width = found.half_width if count >= 2 else None
        # This assumes that the next replicates take as long as this one. The first ones take longer than
        # the later ones, which fewer variants take part in.
        last_s = time.monotonic() - began
        fit = count + max(0, int((limit_s - spent) / last_s))
        most = max(budget.min_replicates, 2, min(budget.max_replicates, fit))
        enough = max(budget.min_replicates, budget.narrow_replicates)
        narrow = width is not None and width <= budget.half_width
        if (
            narrow
            and count >= enough
            and not schedule.missing_blocks
            and not unbounded(schedule.samples, budget)
        ):
            most, stopped = count, f"every interval within ±{budget.half_width:.1%}"
        elif fit <= count:
            stopped = "no time for another"
        else:
            stopped = f"{budget.max_replicates} replicates done"
        left = max(0, most - count) * last_s
        progress(RunProgress(count, spent, limit_s, left, width))
        if count >= most:
            break
        if costs and count >= budget.min_replicates:
            schedule.race(costs, found.levels)
        due = max(budget.min_replicates - count, 1)
        schedule.choose_rounds(max(limit_s - spent, 0.0) / due, due)
    return stopped
