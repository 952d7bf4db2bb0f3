"""The rows of the self-test: each holds a check, its condition, its value, and a bar for the value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

# The correlation of "this copy is called different" between copies that share a baseline. It comes from a
# simulation of 8 copies and 6 replicates, in which speedups have a correlation of one half.
COMPARISON_CORRELATION = 0.1


@dataclass(frozen=True)
class Check:
    """One row of results/selftest.json."""

    check: str
    condition: str
    value: float
    low: float | None  # of the 95% interval, or of the middle half of the values
    high: float | None
    bar: str  # such as "<= 0.05"; "" if there is none
    holds: bool | None


def check(
    name: str,
    condition: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    bar: str = "",
) -> Check:
    """Return a row; it holds if its value keeps the bar."""
    value, limit = float(value), float(bar.split()[1]) if bar else None
    holds = None if limit is None else bool(value <= limit if bar.startswith("<=") else value >= limit)
    return Check(name, condition, value, low, high, bar, holds)


def share(name: str, condition: str, runs: Sequence[Sequence[bool]], bar: str = "") -> Check:
    """Return a row with the share of true decisions, with Clopper and Pearson's interval.

    Comparisons that share a baseline are correlated. The interval counts n comparisons of a run as only
    n / (1 + (n - 1) * COMPARISON_CORRELATION) independent ones.

    Args:
        runs: the decisions of each run.
    """
    count = sum(map(len, runs))
    hits = sum(map(sum, runs))
    weight = np.mean([1 + (len(run) - 1) * COMPARISON_CORRELATION for run in runs])
    test = stats.binomtest(round(hits / weight), max(1, round(count / weight)))
    interval = test.proportion_ci(0.95, "exact")
    value = hits / count
    low, high = min(float(interval.low), value), max(float(interval.high), value)
    return check(name, f"{condition}, {count} comparisons", value, low, high, bar)


def average(name: str, condition: str, runs: Sequence[Sequence[float]], bar: str = "") -> Check:
    """Return a row with the mean of the runs' means, with Student's interval over runs.

    The row holds if the absolute value of the mean keeps the bar.
    """
    means = [float(np.mean(run)) for run in runs]
    value = float(np.mean(means))
    low = high = None
    if len(means) > 1:
        half = float(stats.t.ppf(0.975, len(means) - 1) * stats.sem(means))
        low, high = value - half, value + half
    row = check(name, condition, abs(value), None, None, bar)
    return Check(name, condition, value, low, high, bar, row.holds)


def median(name: str, condition: str, values: Sequence[float], bar: str = "") -> Check:
    """Return a row with the median, and the middle half of the values as its interval."""
    low, value, high = np.percentile(values, [25, 50, 75])
    return check(name, condition, float(value), float(low), float(high), bar)
