"""The statistics of a run: estimates, intervals over replicates, Holm's correction, and verdicts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FASTER, SLOWER, SAME, UNDECIDED = "faster", "slower", "same", "undecided"
POWER = 0.8  # the probability that a run finds the smallest effect it reports
MAX_LOG_HALF_WIDTH = math.log(1e6)  # of an interval's logarithm, so that its bounds stay finite


@dataclass(frozen=True)
class Interval:
    """An estimate with its lower and upper bound."""

    value: float
    low: float
    high: float


def speedup(log_ratios: Sequence[float], confidence: float) -> Interval:
    """Return a speedup with its interval: the geometric mean of the replicates' speedups.

    The interval is Student's on the logarithm.

    Args:
        log_ratios: log(baseline / variant), one number for each replicate.
        confidence: of the interval, after the correction for several variants, if there is one.
    """
    return _geometric(log_ratios, confidence)


def p_value(log_ratios: Sequence[float]) -> float:
    """Return the p-value of Student's two-sided test of the hypothesis that the speedup is 1."""
    if np.ptp(log_ratios) == 0:
        return 1.0 if log_ratios[0] == 0 else 0.0
    return float(stats.ttest_1samp(log_ratios, 0.0).pvalue)


def holm(p_values: Sequence[float], alpha: float) -> list[float]:
    """Return the level at which Holm's procedure tests each hypothesis, in the order of `p_values`.

    The procedure (Holm, 1979) rejects a hypothesis if its p-value is below its level. It takes the
    hypotheses by rising p-value and stops at the first that it does not reject. The hypotheses after that
    one get its level, which rejects none of them because their p-values are at least as large.
    """
    order = np.argsort(p_values, kind="stable")
    levels = [0.0] * len(p_values)
    stopped: float | None = None
    for rank, index in enumerate(order):
        level = stopped or alpha / (len(p_values) - rank)
        levels[index] = level
        if p_values[index] >= level:
            stopped = level
    return levels


def verdict(interval: Interval, margin: float) -> str:
    """Return the verdict for a corrected interval of the speedup: FASTER, SLOWER, SAME or UNDECIDED.

    Args:
        margin: speedups between 1 / (1 + margin) and 1 + margin count as the same.
    """
    if 1 / (1 + margin) <= interval.low and interval.high <= 1 + margin:
        return SAME
    if interval.low > 1:
        return FASTER
    return SLOWER if interval.high < 1 else UNDECIDED


def noise_floor(twin: Interval) -> float:
    """Return the bound of the twin's interval that is farthest from 1, as a ratio of at least 1."""
    return max(twin.high, 1 / twin.low)


def detectable_effect(log_ratios: Sequence[float], alpha: float, power: float = POWER) -> float:
    """Return the smallest speedup that as many replicates with this spread find, as a ratio of at least 1.

    The formula approximates the non-central t distribution by a shifted central one.

    Args:
        log_ratios: log(baseline / variant), one number for each replicate.
        alpha: the level of the two-sided test.
        power: the probability of finding the speedup.
    """
    count = len(log_ratios)
    error = float(np.std(log_ratios, ddof=1)) / math.sqrt(count)
    needed = (stats.t.ppf(1 - alpha / 2, count - 1) + stats.t.ppf(power, count - 1)) * error
    return math.exp(min(needed, MAX_LOG_HALF_WIDTH))


def mean(values: Sequence[float], confidence: float) -> Interval:
    """Return the arithmetic mean with Student's interval."""
    center, half = _mean_and_half(values, confidence)
    return Interval(center, center - half, center + half)


def latency(values: Sequence[float], confidence: float) -> Interval:
    """Return the geometric mean of latencies, one for each replicate, with Student's interval."""
    return _geometric(np.log(values).tolist(), confidence)


def from_logarithm(center: float, half: float) -> Interval:
    """Return the interval whose logarithm is `center` plus or minus `half`.

    `half` is cut to `MAX_LOG_HALF_WIDTH`.
    """
    half = min(half, MAX_LOG_HALF_WIDTH)
    return Interval(math.exp(center), math.exp(center - half), math.exp(center + half))


def _geometric(logarithms: Sequence[float], confidence: float) -> Interval:
    return from_logarithm(*_mean_and_half(logarithms, confidence))


def _mean_and_half(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the mean, and half the width of Student's interval."""
    count = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    return float(np.mean(values)), half
