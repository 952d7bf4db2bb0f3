"""The statistics of one figure: estimates, intervals over replicates, and verdicts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FASTER, SLOWER, SAME, UNDECIDED = "faster", "slower", "same", "undecided"
WITHIN_NOISE = "two copies of the baseline may differ as much"  # how the reason begins
POWER = 0.8  # the probability that a run finds the smallest effect it reports
MAX_LOG_HALF_WIDTH = math.log(1e6)  # of an interval's logarithm, so that its bounds stay finite


@dataclass(frozen=True)
class Interval:
    """An estimate with its lower and upper bound."""

    value: float
    low: float
    high: float


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


def verdict_beyond(interval: Interval, margin: float, floor: float) -> tuple[str, str]:
    """Return the verdict, and why there is none if the difference is no larger than the twin's may be.

    Two copies of one program can differ by up to the noise floor. The causes last as long as a process, for
    example its memory layout and its hash seed.

    Args:
        margin: as of `verdict`.
        floor: the noise floor of the run, a ratio of at least 1.
    """
    found = verdict(interval, margin)
    if found in (FASTER, SLOWER) and abs(math.log(interval.value)) <= math.log(floor):
        return UNDECIDED, f"{WITHIN_NOISE} (up to {floor - 1:.1%})"
    return found, ""


def noise_floor(twin: Interval) -> float:
    """Return the bound of the twin's interval that is farthest from 1, as a ratio of at least 1."""
    return max(twin.high, 1 / twin.low)


def detectable_effect(error: float, df: float, critical: float, power: float = POWER) -> float:
    """Return the smallest speedup that a run with this standard error finds, as a ratio of at least 1.

    The formula approximates the non-central t distribution by a shifted central one.

    Args:
        error: the standard error of the logarithm of the speedup.
        df: the degrees of freedom of `error`.
        critical: half the width of the corrected interval, in standard errors.
        power: the probability of finding the speedup.
    """
    needed = (critical + float(stats.t.ppf(power, df))) * error
    return math.exp(min(needed, MAX_LOG_HALF_WIDTH))


def mean(values: Sequence[float], confidence: float) -> Interval:
    """Return the arithmetic mean with Student's interval."""
    center, half = _mean_and_half(values, confidence)
    return Interval(center, center - half, center + half)


def latency(values: Sequence[float], confidence: float) -> Interval:
    """Return the geometric mean of latencies, one for each replicate, with Student's interval."""
    return _geometric(np.log(values).tolist(), confidence)


def from_bounds(center: float, low: float, high: float) -> Interval:
    """Return the interval with these logarithms, cut to `MAX_LOG_HALF_WIDTH` on both sides."""
    low, high = max(low, center - MAX_LOG_HALF_WIDTH), min(high, center + MAX_LOG_HALF_WIDTH)
    return Interval(math.exp(center), math.exp(low), math.exp(high))


def from_logarithm(center: float, half: float) -> Interval:
    """Return the interval whose logarithm is `center` plus or minus `half`.

    `half` is cut to `MAX_LOG_HALF_WIDTH`.
    """
    return from_bounds(center, center - half, center + half)


def _geometric(logarithms: Sequence[float], confidence: float) -> Interval:
    return from_logarithm(*_mean_and_half(logarithms, confidence))


def _mean_and_half(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the mean, and half the width of Student's interval."""
    count = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    return float(np.mean(values)), half
