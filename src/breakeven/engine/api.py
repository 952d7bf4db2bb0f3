"""The public function of the package, `measure`, which times anything that can be called."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from breakeven.core.errors import UserError
from breakeven.core.files import temporary_folder
from breakeven.engine.background_load import BackgroundLoad
from breakeven.engine.comparison import compare_to_baseline
from breakeven.engine.control_rule import judge_beyond_control
from breakeven.engine.measure import run_replicates
from breakeven.engine.output_check import CHECKS, Check
from breakeven.engine.quality_checks import QualityWarning, list_warnings
from breakeven.engine.rehearsal import Rehearsal, rehearse
from breakeven.engine.result import Result, TimedVariant
from breakeven.engine.schedule import Schedule
from breakeven.engine.settings import TWIN, Budget, RunProgress, Scenario
from breakeven.engine.target import CallTarget, Variant
from breakeven.engine.variant_specs import Given, resolve

SHORTEST_TIMEOUT_S = 5.0
START_S = 0.5  # start of a fresh process, without the load of its variant
REMEDIES = {
    "few replicates": "give it more time (--max-seconds), or accept wider intervals (--within)",
    "short blocks": "its first calls were slow: give it a budget with longer blocks",
    "warm-up too short": "call it some times in its factory, or give it a budget with more rounds",
    "unpinned": "choose fewer threads",
    "unreliable": "only larger differences than the twin's count; a quieter machine shows smaller ones",
}


def measure(
    variants: Mapping[str, Given],
    inputs: Sequence[Any] | None = None,
    *,
    baseline: str | None = None,
    within: float = 0.01,
    max_seconds: float = 60.0,
    threads: int = 1,
    device: str = "cpu",
    check: Check = "close",
    margin: float = 0.01,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Callable[[RunProgress], None] | None = None,
    budget: Budget | None = None,
) -> Result:
    """Time variants in turns, and return their speedups over the baseline with confidence intervals.

    Each variant runs in fresh processes, which take turns in short blocks. Each process calls a variant's
    factory once, untimed, and then times the callable that the factory returns. A second copy of the
    baseline, the twin, shows how much two copies of one program differ on this machine. A single
    variant is compared with its own copy.

    Args:
        variants: name -> a factory, "file.py:factory", "package.module:factory", or an artifact's folder. An
            nn.Module needs no factory; it runs in evaluation mode and without gradients.
        inputs: the positional arguments of each timed call. The first one holds the images of artifacts.
        baseline: the name of the variant to compare with; by default the first.
        within: stop when every interval is at most plus or minus this share of the speedup.
        max_seconds: stop after this time, but not before three replicates.
        threads: the number of processor threads of each variant.
        device: "cpu", "cuda" or "cuda:1".
        check: the comparison of outputs before the timing: "close", "equal", "off", or a function of the
            baseline's and the variant's output that returns whether they agree.
        margin: two variants count as the same if their interval excludes differences above this share.
        confidence: the level of the intervals.
        seed: the seed of the random order in which variants run.
        progress: a function that the run calls after each replicate.
        budget: all settings of the engine. It overrides `within`, `max_seconds`, `margin`, `confidence` and
            `seed`.

    Raises:
        UserError: an argument is wrong, or the baseline fails. If another variant fails, its result has the
            verdict "failed" instead.
    """
    started = time.monotonic()
    _require(variants, inputs, baseline, within, max_seconds, threads, check, margin, confidence)
    base = baseline or next(iter(variants))
    order = [base, *(name for name in variants if name != base)]
    hardware = _hardware(device, threads)
    load = BackgroundLoad()
    with temporary_folder() as scratch:
        resolved = {
            name: resolve(name, variants[name], scratch / f"{index}.pickle")
            for index, name in enumerate(order)
        }
        resolved, images = _with_inputs(resolved, inputs, scratch)
        batch = len(np.load(images, mmap_mode="r")) if images.exists() else 1
        timeout_s = budget.timeout_s if budget else max(max_seconds, SHORTEST_TIMEOUT_S)
        rehearsal = rehearse(resolved, hardware, images, batch, check, timeout_s, scratch)
        rejected = {
            name: TimedVariant(name, verdict, reason)
            for name, (verdict, reason) in rehearsal.rejected.items()
        }
        if len(order) > 1 and len(rehearsal.variants) == 1:  # no variant is left to compare
            alone = {base: TimedVariant(base, "baseline"), **rejected}
            return Result(alone, base, None, "", time.monotonic() - started, [], confidence, margin)
        spent = time.monotonic() - started
        plan = budget or _budget(rehearsal, within, max_seconds - spent, margin, confidence, seed, timeout_s)
        plan = replace(plan, loop_ms=rehearsal.loop_ms)
        copies = {base: rehearsal.variants[base], TWIN: rehearsal.variants[base], **rehearsal.variants}
        caches = scratch / "caches"
        caches.mkdir()
        schedule = Schedule(copies, hardware, images, Scenario(batch_size=batch), plan, False, caches)
        stopped = run_replicates(
            schedule,
            plan.time_limit_s(len(rehearsal.variants)),
            time.monotonic(),
            progress or (lambda step: None),
        )
    measured = compare_to_baseline(schedule.samples, plan.confidence, plan.margin)
    warnings = [
        QualityWarning(warning.name, warning.text, REMEDIES.get(warning.name, warning.remedy))
        for warning in list_warnings(schedule.samples, measured, plan, load.percent)
    ]
    comparisons = judge_beyond_control(measured, base, plan.margin)
    if comparisons[base].latency_ms is None:
        raise UserError(f"{base} ({resolved[base]}): {comparisons[base].reason or stopped}.")
    timed_variants = {
        name: TimedVariant.from_comparison(name, comparisons[name]) for name in comparisons
    } | rejected
    return Result(
        {name: timed_variants[name] for name in order},
        base,
        timed_variants[TWIN],
        stopped,
        time.monotonic() - started,
        warnings,
        plan.confidence,
        plan.margin,
        rehearsal.loop_ns,
    )


def _require(
    variants: Mapping[str, Given],
    inputs: Sequence[Any] | None,
    baseline: str | None,
    within: float,
    max_seconds: float,
    threads: int,
    check: Check,
    margin: float,
    confidence: float,
) -> None:
    """Raise a UserError if an argument is out of range or of a wrong kind, before any process starts."""
    if not variants:
        raise UserError("variants: give at least one, as {'name': factory}.")
    if TWIN in variants:
        raise UserError(f"variants: {TWIN!r} is the name of the copy of the baseline; choose another one.")
    if baseline is not None and baseline not in variants:
        raise UserError(f"baseline={baseline}: is none of the variants {', '.join(variants)}.")
    if inputs is not None and not isinstance(inputs, list | tuple):
        raise UserError("inputs: give a tuple of positional arguments, as inputs=(x,).")
    if not callable(check) and check not in CHECKS:
        raise UserError(f"check={check}: give one of {', '.join(CHECKS)}, or a function of two outputs.")
    limits = {
        "within": (within, within > 0),
        "max_seconds": (max_seconds, max_seconds > 0),
        "threads": (threads, threads >= 1),
        "margin": (margin, margin >= 0),
        "confidence": (confidence, 0 < confidence < 1),
    }
    for name, (value, allowed) in limits.items():
        if not allowed or not math.isfinite(value):
            raise UserError(f"{name}={value}: is out of range.")


def _hardware(device: str, threads: int) -> dict[str, Any]:
    """Return the settings of the hardware plugin for "cpu", "cuda" or "cuda:1".

    Raises:
        UserError: the device has another form.
    """
    kind, _, index = device.partition(":")
    if kind == "cpu" and not index:
        return {"name": "cpu", "threads": threads}
    if kind == "cuda" and (not index or index.isdigit()):
        return {"name": "cuda", "threads": threads, "index": int(index or 0)}
    raise UserError(f"device={device}: give cpu, cuda, or cuda:1.")


def _with_inputs(
    variants: Mapping[str, Variant], inputs: Sequence[Any] | None, scratch: Path
) -> tuple[dict[str, Variant], Path]:
    """Write the arguments of the calls, and the images of artifacts, into `scratch`.

    Return the variants with the path of their arguments, and the path of the images.

    Raises:
        UserError: an artifact has no images, or the arguments cannot be pickled.
    """
    images, arguments = scratch / "images.npy", scratch / "inputs.pickle"
    artifacts = [variant for variant in variants.values() if isinstance(variant, Path)]
    if artifacts:
        if not inputs:
            raise UserError(f"{artifacts[0]}: an artifact needs its images: pass inputs=(images,).")
        np.save(images, np.asarray(inputs[0]))
    if len(artifacts) < len(variants):
        try:
            arguments.write_bytes(cloudpickle.dumps(tuple(inputs or ())))
        except Exception as error:
            raise UserError(f"inputs: cannot be sent to another process ({error}).") from None
    return {
        name: replace(variant, inputs=str(arguments)) if isinstance(variant, CallTarget) else variant
        for name, variant in variants.items()
    }, images


def _budget(
    rehearsal: Rehearsal,
    within: float,
    seconds: float,
    margin: float,
    confidence: float,
    seed: int,
    timeout_s: float,
) -> Budget:
    """Return a budget that divides the time into eight replicates; slow calls get fewer rounds in each.

    Args:
        seconds: the time that is left for the replicates.
    """
    base = next(iter(rehearsal.variants))
    names = [base, *rehearsal.variants]  # the baseline has a twin
    calls_s = [rehearsal.call_ms[name] / 1000 for name in names]
    starts_s = [START_S + rehearsal.start_s[name] for name in names]
    block_s = sum(max(0.02, 2 * call) for call in calls_s)  # with the uncounted calls before the block
    warm_s = sum(max(0.05, call) for call in calls_s)
    useful = 8  # replicates; fewer cannot tell small differences from differences between processes
    rounds = (seconds / useful - sum(starts_s) - warm_s) / block_s
    return Budget(
        half_width=within,
        seconds=max(seconds, 0.1),
        seconds_per_variant=0,
        min_replicates=3,
        narrow_replicates=useful,
        max_replicates=200,
        rounds=min(10, max(3, int(rounds))),
        block_ms=10,
        settle_ms=10,
        warm_up_calls=5 if max(calls_s) < 0.05 else 1,
        timeout_s=timeout_s,
        confidence=confidence,
        margin=margin,
        seed=seed,
    )
