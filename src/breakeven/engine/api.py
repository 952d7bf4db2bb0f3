"""Measure anything that can be called: the public function of the package."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cloudpickle
import numpy as np

from breakeven.core.errors import UserError
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
START_S = 0.5  # of a fresh process, beyond its own load
REMEDIES = {
    "few replicates": "give it more time (max_seconds), or accept wider intervals (within)",
    "short blocks": "its first calls were slow: give it a budget with longer blocks",
    "not steady": "call it some times in its factory, or give it a budget with more rounds",
    "unpinned": "choose fewer threads",
    "unreliable": "only larger differences than the control's count; a quieter machine shows smaller ones",
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
    """Time variants side by side, and say which is faster and how sure that is.

    Each variant runs in fresh processes, which take turns in short blocks. A factory runs once in each
    process, untimed; what it returns is called with `inputs` and timed. A second copy of the baseline, the
    A/A control, shows how much two copies of one thing differ here. One variant alone is compared with it.

    Args:
        variants: name -> a factory, "file.py:factory", "package.module:factory", or an artifact's folder. An
            nn.Module is called itself, in evaluation mode and without gradients.
        inputs: positional arguments of each timed call. An artifact takes its images from the first.
        baseline: the variant to compare with; by default the first.
        within: stop when every interval is as narrow as plus or minus this share.
        max_seconds: stop after this time.
        check: how outputs are compared before anything is timed: "close", "equal", "off", or a function of
            the baseline's and the variant's output that returns whether they agree.
        margin: call two variants the same if they differ by less than this share for sure.
        progress: a function that is called after each replicate.
        budget: all settings of the engine; overrides `within`, `max_seconds`, `margin`, `confidence`, `seed`.

    Raises:
        UserError: an argument is wrong, or the baseline fails. Another variant that fails has the verdict
            "failed" instead.
    """
    started = time.monotonic()
    _require(variants, inputs, baseline, within, max_seconds, threads, check, margin, confidence)
    base = baseline or next(iter(variants))
    order = [base, *(name for name in variants if name != base)]
    hardware = _hardware(device, threads)
    load = BackgroundLoad()
    with TemporaryDirectory(prefix="breakeven-") as folder:
        scratch = Path(folder)
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
        if len(order) > 1 and len(rehearsal.variants) == 1:  # nothing is left to compare
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
    judged = judge_beyond_control(measured, base, plan.margin)
    if judged[base].latency_ms is None:
        raise UserError(f"{base} ({resolved[base]}): {judged[base].reason or stopped}.")
    found = {name: TimedVariant.from_comparison(name, judged[name]) for name in judged} | rejected
    return Result(
        {name: found[name] for name in order},
        base,
        found[TWIN],
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
    """Refuse arguments that make no sense, before anything is started."""
    if not variants:
        raise UserError("variants: give at least one, as {'name': factory}.")
    if TWIN in variants:
        raise UserError(f"variants: {TWIN!r} is the name of the A/A control; choose another one.")
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
    """Return the hardware plugin's settings for "cpu", "cuda" or "cuda:1"."""
    kind, _, index = device.partition(":")
    if kind == "cpu" and not index:
        return {"name": "cpu", "threads": threads}
    if kind == "cuda" and (not index or index.isdigit()):
        return {"name": "cuda", "threads": threads, "index": int(index or 0)}
    raise UserError(f"device={device}: give cpu, cuda, or cuda:1.")


def _with_inputs(
    variants: Mapping[str, Variant], inputs: Sequence[Any] | None, scratch: Path
) -> tuple[dict[str, Variant], Path]:
    """Write the arguments of the calls, and an artifact's images, where the workers find them."""
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
    """Divide the time into as many replicates as are useful; fewer and shorter ones for slow calls."""
    base = next(iter(rehearsal.variants))
    names = [base, *rehearsal.variants]  # the baseline twice
    calls_s = [rehearsal.call_ms[name] / 1000 for name in names]
    starts_s = [START_S + rehearsal.start_s[name] for name in names]
    block_s = sum(max(0.02, 2 * call) for call in calls_s)  # with the calls before it that do not count
    warm_s = sum(max(0.05, call) for call in calls_s)
    useful = 8  # replicates: fewer cannot tell small differences from a process's own luck
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
