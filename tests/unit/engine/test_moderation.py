"""Moderated variances: the textbook's limits, and intervals that hold the truth as often as they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.engine.moderation import estimate


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_single_contrast_has_students_standard_error() -> None:
    values = draw().normal(0.3, 0.01, 7)
    only = estimate({"a": values}).of["a"]
    assert (only.value, only.error, only.df) == pytest.approx((values.mean(), stats.sem(values), 6))
    assert only.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_without_contrasts_there_is_nothing() -> None:
    assert estimate({}).of == {}


def test_each_variance_moves_towards_the_others_and_gains_degrees_of_freedom() -> None:
    noise = draw(1).normal(0, 1, (8, 5)) * np.linspace(0.8, 1.2, 8)[:, None]
    found = estimate(dict(zip("abcdefgh", noise, strict=True))).of.values()
    own = noise.std(axis=1, ddof=1) / np.sqrt(5)
    assert np.ptp([each.error for each in found]) < np.ptp(own)
    assert own.min() < min(each.error for each in found) <= max(each.error for each in found) < own.max()
    assert min(each.df for each in found) > 4


def test_contrasts_that_share_a_noisy_base_lend_each_other_little() -> None:
    """Their variances are one variance, seen eight times."""
    base = draw(2).normal(0, 1, 5)
    shared = estimate({name: base + 0.01 * draw(3 + i).normal(0, 1, 5) for i, name in enumerate("abcdefgh")})
    apart = estimate({name: draw(3 + i).normal(0, 1, 5) for i, name in enumerate("abcdefgh")})
    assert shared.of["a"].df < 5 < apart.of["a"].df
    assert shared.loadings(["a", "b"]) == pytest.approx(1, abs=0.02)
    assert np.all(apart.loadings(["a", "b"]) < 0.8)


SPREADS = {
    "3 alike": [1.0] * 3,
    "12 alike": [1.0] * 12,
    "half are twice as noisy": [1.0] * 6 + [2.0] * 6,
    "2 of 12 are very noisy": [1.0] * 10 + [8.0] * 2,
    "each has its own noise": np.geomspace(0.5, 2, 8).tolist(),
}


@pytest.mark.parametrize("replicates", [5, 10, 20])
@pytest.mark.parametrize("kind", SPREADS)
@pytest.mark.parametrize("base", [0.3, 1.0, 3.0], ids=lambda spread: f"base {spread}")
def test_intervals_hold_the_truth(replicates: int, kind: str, base: float) -> None:
    held = []
    spreads = np.array(SPREADS[kind])
    for seed in range(200):
        noise = draw(seed)
        errors = noise.normal(0, 1, (len(spreads), replicates)) * spreads[:, None]
        shared = noise.normal(0, base, replicates)
        contrasts = estimate({str(index): own + shared for index, own in enumerate(errors)})
        for each in contrasts.of.values():
            held.append(abs(each.value) <= stats.t.ppf(0.975, each.df) * each.error)
    assert 0.93 - 0.015 < np.mean(held) < 0.975 + 0.01  # of 200 runs that share their errors


@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_arrays_may_end_early(short: int, others: int, seed: int) -> None:
    noise = draw(seed)
    found = estimate(
        {"short": noise.normal(0, 1, short), **{str(i): noise.normal(0, 1, 9) for i in range(others)}}
    )
    assert all(np.isfinite([each.value, each.error, each.df]).all() for each in found.of.values())
    assert found.of["short"].df <= found.of["0"].df + 1e-9 or short >= 9


def test_times_that_do_not_differ_at_all_still_give_numbers() -> None:
    found = estimate({"same": np.zeros(5), "shifted": np.full(5, 0.1), "noisy": draw().normal(0, 0.01, 5)})
    assert found.of["same"].p_value == 1
    assert found.of["shifted"].p_value < 1e-3
    assert all(np.isfinite([each.error, each.df]).all() for each in found.of.values())
