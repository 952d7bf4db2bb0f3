"""From rounds to verdicts: estimates, intervals over replicates, Holm's correction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FASTER, SLOWER, SAME, UNDECIDED = "faster", "slower", "same", "undecided"
POWER = 0.8  # with which the smallest effect that is named is found
WIDEST = math.log(1e6)  # two replicates far apart know nothing, and that can be printed


@dataclass(frozen=True)
class Interval:
    """An estimate with its bounds."""

    value: float
    low: float
    high: float


def speedup(log_ratios: Sequence[float], confidence: float) -> Interval:
    """The geometric mean of the replicates' speedups, with Student's interval on the logarithm.

    Args:
        log_ratios: one a replicate, log(baseline / variant).
    """
    return _geometric(log_ratios, confidence)


def p_value(log_ratios: Sequence[float]) -> float:
    """Student's two-sided test of "the speedup is 1"."""
    if np.ptp(log_ratios) == 0:
        return 1.0 if log_ratios[0] == 0 else 0.0
    return float(stats.ttest_1samp(log_ratios, 0.0).pvalue)


def holm(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level at which Holm's procedure tests each hypothesis (Holm, 1979).

    A hypothesis is rejected just if its p-value is below its level. Once one is not rejected, all that
    follow it are tested at that one's level, which rejects none of them: their p-values are larger.
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
    """What a corrected interval of the speedup says.

    Args:
        margin: speedups between 1 / (1 + margin) and 1 + margin count as the same.
    """
    if 1 / (1 + margin) <= interval.low and interval.high <= 1 + margin:
        return SAME
    if interval.low > 1:
        return FASTER
    return SLOWER if interval.high < 1 else UNDECIDED


def noise_floor(twin: Interval) -> float:
    """The bound of the twin's interval that is farthest from 1, as a ratio of at least 1."""
    return max(twin.high, 1 / twin.low)


def detectable_effect(log_ratios: Sequence[float], alpha: float, power: float = POWER) -> float:
    """The smallest speedup, as a ratio above 1, that as many such replicates show with this power.

    By the usual approximation of the non-central t distribution by a shifted central one.
    """
    count = len(log_ratios)
    error = float(np.std(log_ratios, ddof=1)) / math.sqrt(count)
    needed = (stats.t.ppf(1 - alpha / 2, count - 1) + stats.t.ppf(power, count - 1)) * error
    return math.exp(min(needed, WIDEST))


def mean(values: Sequence[float], confidence: float) -> Interval:
    """The mean with Student's interval."""
    center, half = _mean_and_half(values, confidence)
    return Interval(center, center - half, center + half)


def latency(values: Sequence[float], confidence: float) -> Interval:
    """A latency's geometric mean over replicates with its interval."""
    return _geometric(np.log(values).tolist(), confidence)


def from_logarithm(center: float, half: float) -> Interval:
    """The interval whose logarithm is `center`, give or take `half`."""
    half = min(half, WIDEST)
    return Interval(math.exp(center), math.exp(center - half), math.exp(center + half))


def _geometric(logarithms: Sequence[float], confidence: float) -> Interval:
    return from_logarithm(*_mean_and_half(logarithms, confidence))


def _mean_and_half(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Mean, and half the width of Student's interval."""
    count = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    return float(np.mean(values)), half
