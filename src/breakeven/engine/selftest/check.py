"""A row of the self-test: what was checked, what came out, and the bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

# Of "this comparison was called different" between copies that share a baseline: simulated for 8 copies and 6
# replicates, where their speedups have a correlation of one half.
CORRELATION = 0.1


@dataclass(frozen=True)
class Check:
    """One row of results/selftest.json."""

    check: str
    condition: str
    value: float
    low: float | None  # 95% interval
    high: float | None
    bar: str  # "<= 0.05"; "" where none is set
    holds: bool | None


def check(
    name: str,
    condition: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    bar: str = "",
) -> Check:
    """A row that holds where its value does."""
    value, limit = float(value), float(bar.split()[1]) if bar else None
    holds = None if limit is None else bool(value <= limit if bar.startswith("<=") else value >= limit)
    return Check(name, condition, value, low, high, bar, holds)


def share(name: str, condition: str, runs: Sequence[Sequence[bool]], bar: str = "") -> Check:
    """How often something was so, with Clopper and Pearson's interval.

    Args:
        runs: one sequence a run. What shares a baseline counts for less than what does not: n comparisons
            for n / (1 + (n - 1) * correlation).
    """
    count = sum(map(len, runs))
    hits = sum(map(sum, runs))
    weight = np.mean([1 + (len(run) - 1) * CORRELATION for run in runs])
    test = stats.binomtest(round(hits / weight), max(1, round(count / weight)))
    interval = test.proportion_ci(0.95, "exact")
    value = hits / count
    low, high = min(float(interval.low), value), max(float(interval.high), value)
    return check(name, f"{condition}, {count} comparisons", value, low, high, bar)


def average(name: str, condition: str, runs: Sequence[Sequence[float]], bar: str = "") -> Check:
    """A mean over runs with Student's interval, run by run; its size is held to the bar."""
    means = [float(np.mean(run)) for run in runs]
    value = float(np.mean(means))
    low = high = None
    if len(means) > 1:
        half = float(stats.t.ppf(0.975, len(means) - 1) * stats.sem(means))
        low, high = value - half, value + half
    row = check(name, condition, abs(value), None, None, bar)
    return Check(name, condition, value, low, high, bar, row.holds)


def median(name: str, condition: str, values: Sequence[float], bar: str = "") -> Check:
    """A median, with the middle half of the values."""
    low, value, high = np.percentile(values, [25, 50, 75])
    return check(name, condition, float(value), float(low), float(high), bar)
