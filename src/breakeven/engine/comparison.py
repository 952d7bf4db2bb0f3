"""The comparison of each variant with the baseline, corrected for the number of variants."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from breakeven.engine import statistics
from breakeven.engine.samples import OK, Replicate, Samples
from breakeven.engine.statistics import Interval

BASELINE, CONTROL = "baseline", "control"  # verdicts of the two variants that are not judged


@dataclass(frozen=True)
class Comparison:
    """A variant compared with the baseline; a field is None if there is no measurement for it."""

    verdict: str
    reason: str = ""
    speedup: Interval | None = None  # baseline's time over the variant's; corrected by Holm's procedure
    min_detectable_effect: float | None = None  # a ratio of at least 1
    latency_ms: Interval | None = None  # geometric mean of the replicates' median calls
    replicates: list[Replicate] = field(default_factory=list)
    unreliable: bool = False  # whether the run gives no verdicts; `reason` says why


@dataclass(frozen=True)
class ComparisonSet:
    """All variants of a run, each compared with the baseline."""

    of: dict[str, Comparison]
    noise_floor: float | None  # a ratio of at least 1; None without a twin
    fault: str = ""  # why the run gives no verdicts; "" if it gives them

    @property
    def half_width(self) -> float:
        """Return half the width of the widest interval, as a share of the speedup; 0 without any interval."""
        widths = [np.log(f.speedup.high / f.speedup.low) / 2 for f in self.of.values() if f.speedup]
        return float(np.expm1(max(widths, default=0.0)))


def compare_to_baseline(
    samples: Mapping[str, Samples], confidence: float, margin: float, control: str = "twin"
) -> ComparisonSet:
    """Return the comparison of every variant with the first, which is the baseline.

    Args:
        control: the name of the baseline's twin. Holm's correction leaves it out. If its interval excludes 1,
            the run gives no verdicts.
        margin: speedups between 1 / (1 + margin) and 1 + margin count as the same.
    """
    base, *rest = samples
    ratios = {
        name: log_ratios(samples[base].replicates, samples[name].replicates)
        for name in rest
        if samples[name].status == samples[base].status == OK
        and len(samples[name].replicates) > 1  # one replicate has no interval
    }
    others = [name for name in ratios if name != control]
    levels = statistics.holm([statistics.p_value(ratios[name]) for name in others], 1 - confidence)
    level = {**dict(zip(others, levels, strict=True)), control: 1 - confidence}
    speedups = {name: statistics.speedup(values, 1 - level[name]) for name, values in ratios.items()}
    fault = ""
    if samples[base].status != OK:
        fault = "the baseline was not measured"
    elif control not in speedups:
        fault = "the twin was not measured"
    elif not speedups[control].low <= 1 <= speedups[control].high:
        fault = "the twin's interval excludes 1"
    compared: dict[str, Comparison] = {}
    for name, measured in samples.items():
        verdict, reason, unreliable = measured.status, measured.reason, False
        if verdict == OK and name == base:
            verdict = BASELINE
        elif verdict == OK:
            unreliable = bool(fault)
            if name == control:
                verdict = CONTROL
            elif fault or name not in speedups:
                verdict, reason = statistics.UNDECIDED, "too few replicates for an interval"
            else:
                verdict = statistics.verdict(speedups[name], margin)
            if fault:
                reason = f"unreliable run: {fault}"
        compared[name] = Comparison(
            verdict,
            reason,
            speedups.get(name),
            statistics.detectable_effect(ratios[name], level[name]) if name in ratios else None,
            _latency(measured, confidence),
            measured.replicates,
            unreliable,
        )
    noise_floor = statistics.noise_floor(speedups[control]) if control in speedups else None
    return ComparisonSet(compared, noise_floor, fault)


def log_ratios(base: list[Replicate], variant: list[Replicate]) -> list[float]:
    """Return one number for each replicate: the median over its rounds of log(baseline / variant).

    A round compares the mean call of both blocks, because a user waits for all calls. The median over
    rounds ignores bursts of other programs' work, which lengthen single blocks up to several times.
    docs/measuring.md has the data for both choices.
    """
    return [_log_ratio(one, two) for one, two in zip(base, variant, strict=True)]


def _log_ratio(base: Replicate, variant: Replicate) -> float:
    partner = {block.round: block.mean_ms for block in base.blocks}
    return float(np.median([np.log(partner[block.round] / block.mean_ms) for block in variant.blocks]))


def _latency(measured: Samples, confidence: float) -> Interval | None:
    if measured.status != OK or len(measured.replicates) < 2:
        return None
    return statistics.latency([float(np.median(r.calls_ms)) for r in measured.replicates], confidence)
