"""Critical values against the textbook's, against simulation, and at their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.engine.moderation import Contrast, Contrasts
from breakeven.engine.simultaneous import critical_value


def contrasts(count: int, df: float, correlation: float) -> Contrasts:
    return Contrasts({str(i): Contrast(0.0, 0.1, df) for i in range(count)}, correlation * 0.1**2 * 5, 5)


def value(count: int, df: float, correlation: float, two_sided: bool = True) -> float:
    return critical_value(contrasts(count, df, correlation), [*map(str, range(count))], 0.95, two_sided)


@pytest.mark.parametrize(("two_sided", "quantile"), [(True, 0.975), (False, 0.95)])
def test_one_comparison_has_students_value(two_sided: bool, quantile: float) -> None:
    assert value(1, 7, 0.5, two_sided) == pytest.approx(stats.t.ppf(quantile, 7))


# Dunnett's tables (1955, 1964) for equal groups, whose comparisons have a correlation of 0.5; many degrees
# of freedom, where the tables' common variance and a variance for each are the same.
@pytest.mark.parametrize(("count", "two_sided", "table"), [(2, True, 2.21), (5, True, 2.51), (9, True, 2.69)])
@pytest.mark.parametrize("df", [1e6])
def test_dunnetts_tables(count: int, two_sided: bool, table: float, df: float) -> None:
    assert value(count, df, 0.5, two_sided) == pytest.approx(table, abs=0.006)


@pytest.mark.parametrize(("count", "table"), [(2, 1.92), (5, 2.23), (9, 2.42)])
def test_dunnetts_one_sided_tables(count: int, table: float) -> None:
    assert value(count, 1e6, 0.5, two_sided=False) == pytest.approx(table, abs=0.006)


@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize("count", [2, 12, 20])
@pytest.mark.parametrize("df", [4, 16])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_largest_t_exceeds_it_in_5_of_100_draws(
    count: int, df: int, correlation: float, two_sided: bool
) -> None:
    draw, runs = np.random.default_rng(0), 100_000
    own, base = draw.normal(size=(runs, count)), draw.normal(size=(runs, 1))
    t = np.sqrt(correlation) * base + np.sqrt(1 - correlation) * own
    t /= np.sqrt(draw.chisquare(df, (runs, count)) / df)
    largest = (np.abs(t) if two_sided else t).max(axis=1)
    assert (largest > value(count, df, correlation, two_sided)).mean() == pytest.approx(0.05, abs=0.0035)


@given(st.integers(2, 15), st.floats(2, 200), st.floats(0, 0.95))
def test_it_lies_between_the_value_of_one_and_bonferronis(count: int, df: float, correlation: float) -> None:
    one, bonferroni = stats.t.ppf(0.975, df), stats.t.ppf(1 - 0.025 / count, df)
    assert one * 0.99 <= value(count, df, correlation) <= bonferroni * 1.000001
