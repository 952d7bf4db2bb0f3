"""The comparison of the variants of a run with one of them, corrected for their number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from breakeven.engine import statistics
from breakeven.engine.levels import log_levels
from breakeven.engine.moderation import contrasts_with
from breakeven.engine.samples import OK, Replicate, Samples
from breakeven.engine.settings import TWIN
from breakeven.engine.simultaneous import critical_value
from breakeven.engine.statistics import Interval, from_logarithm

BASELINE, AS_TWIN = "baseline", "twin"  # verdicts of the two variants that are not judged
FAULT_CONFIDENCE = 0.99  # that the twin differs: one sound run in a hundred is called unreliable


@dataclass(frozen=True)
class Comparison:
    """A variant compared with the baseline; a field is None if there is no measurement for it."""

    verdict: str
    reason: str = ""
    speedup: Interval | None = None  # baseline's time over the variant's; corrected for all variants
    min_detectable_effect: float | None = None  # a ratio of at least 1
    latency_ms: Interval | None = None  # geometric mean of the replicates' median calls
    replicates: list[Replicate] = field(default_factory=list)
    unreliable: bool = False  # whether the run gives no verdicts; `reason` says why
    stopped: bool = False  # whether it was measured less often than others; `reason` says why


@dataclass(frozen=True)
class ComparisonSet:
    """All variants of a run, each compared with the baseline."""

    of: dict[str, Comparison]
    noise_floor: float | None  # a ratio of at least 1; None without a twin
    fault: str = ""  # why the run gives no verdicts; "" if it gives them
    # The log time of a call of each variant in each replicate, to compare any two of them
    levels: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def half_width(self) -> float:
        """Return half the width of the widest interval, as a share of the speedup; 0 without any interval.

        Variants that were stopped early do not count.
        """
        return float(np.expm1(max(self._widths().values(), default=0.0)))

    @property
    def widest(self) -> str:
        """Return the variant with the widest interval, without those that were stopped early; "" for none."""
        widths = self._widths()
        return max(widths, key=lambda name: widths[name], default="")

    def _widths(self) -> dict[str, float]:
        """Return half the width of each interval, on the scale of logarithms."""
        return {
            name: float(np.log(each.speedup.high / each.speedup.low) / 2)
            for name, each in self.of.items()
            if each.speedup and not each.stopped
        }


@dataclass(frozen=True)
class Speedup:
    """How many times as fast as the base a variant is."""

    interval: Interval
    detectable: float  # the smallest speedup that four of five such runs find, a ratio of at least 1
    p_value: float  # of the hypothesis that the speedup is 1, not corrected


def compare_to_baseline(
    samples: Mapping[str, Samples], confidence: float, margin: float, control: str = TWIN
) -> ComparisonSet:
    """Return the comparison of every variant with the first, which is the baseline.

    Args:
        control: the name of the baseline's twin. The correction for several variants leaves it out. If it
            differs from the baseline, the run gives no verdicts.
        margin: speedups between 1 / (1 + margin) and 1 + margin count as the same.

    A variant is faster or slower if its interval excludes 1, and if its speedup is farther from 1 than the
    farthest bound of the twin's interval.
    """
    base = next(iter(samples))
    # One replicate has no interval.
    usable = {
        name: own.replicates for name, own in samples.items() if own.status == OK and len(own.replicates) > 1
    }
    levels = log_levels(usable) if base in usable else {}
    speedups = speedups_over(base, levels, confidence, control) if base in usable else {}
    fault = ""
    if samples[base].status != OK:
        fault = "the baseline was not measured"
    elif control not in speedups:
        fault = "the twin was not measured"
    elif speedups[control].p_value < 1 - FAULT_CONFIDENCE:
        fault = "the twin differs from the baseline"
    noise_floor = statistics.noise_floor(speedups[control].interval) if control in speedups else None
    compared: dict[str, Comparison] = {}
    for name, measured in samples.items():
        verdict, reason, unreliable = measured.status, measured.reason, False
        speedup = speedups.get(name)
        if verdict == OK and name == base:
            verdict = BASELINE
        elif verdict == OK:
            unreliable = bool(fault)
            if name == control:
                verdict = AS_TWIN
            elif fault or speedup is None:
                verdict, reason = statistics.UNDECIDED, "too few replicates for an interval"
            else:
                verdict, reason = statistics.verdict_beyond(speedup.interval, margin, noise_floor or 1.0)
                reason = "; ".join(filter(None, [measured.stopped, reason]))
            if fault:
                reason = f"unreliable run: {fault}"
        compared[name] = Comparison(
            verdict,
            reason,
            speedup.interval if speedup else None,
            speedup.detectable if speedup else None,
            _latency(measured, confidence),
            measured.replicates,
            unreliable,
            bool(measured.stopped),
        )
    return ComparisonSet(compared, noise_floor, fault, {name: own.tolist() for name, own in levels.items()})


def speedups_over(
    base: str, levels: Mapping[str, NDArray[np.float64]], confidence: float, control: str = TWIN
) -> dict[str, Speedup]:
    """Return the speedup of each variant over the variant `base`, with intervals that hold all at once.

    Args:
        levels: as of `contrasts_with`.
        control: the name of the baseline's twin. Its interval is not corrected.
    """
    contrasts = contrasts_with(base, levels)
    judged = [name for name in contrasts.of if name != control]
    of_judged = critical_value(contrasts, judged, confidence) if judged else 0.0
    speedups = {}
    for name, each in contrasts.of.items():
        critical = critical_value(contrasts, [control], confidence) if name == control else of_judged
        speedups[name] = Speedup(
            from_logarithm(each.value, critical * each.error),
            statistics.detectable_effect(each.error, each.df, critical),
            each.p_value,
        )
    return speedups


def _latency(measured: Samples, confidence: float) -> Interval | None:
    if measured.status != OK or len(measured.replicates) < 2:
        return None
    return statistics.latency([float(np.median(r.calls_ms)) for r in measured.replicates], confidence)
