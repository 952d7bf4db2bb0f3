"""Scores of two models on the same samples: intervals that hold the truth, whatever the scores are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.results import paired_accuracy
from breakeven.results.paired_scores import compare


def test_scores_of_0_and_1_are_compared_as_counts() -> None:
    draw = np.random.default_rng(0)
    one, other = draw.integers(0, 2, (2, 200))
    found = compare(one.astype(float), other.astype(float), 0.95)
    assert found == paired_accuracy.compare(one == 1, other == 1, 0.95)


def test_other_scores_get_the_paired_t() -> None:
    draw = np.random.default_rng(1)
    one = draw.gamma(2, 1, 60)
    other = one + draw.normal(0.1, 0.3, 60)
    found, test = compare(one, other, 0.95), stats.ttest_rel(other, one)
    assert found.delta == pytest.approx((other - one).mean())
    assert found.p_value == pytest.approx(test.pvalue)
    low, high = test.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


@given(st.integers(2, 50), st.floats(1.01, 5))
def test_equal_scores_differ_by_nothing(count: int, value: float) -> None:
    scores = np.full(count, value)
    found = compare(scores, scores.copy(), 0.95)
    assert (found.delta, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_the_interval_holds_the_true_change_in_95_of_100_comparisons() -> None:
    held, draw = [], np.random.default_rng(2)
    for _ in range(400):
        one = draw.gamma(1, 1, 80)  # skewed, as absolute errors are
        found = compare(one, one * 1.05 + draw.normal(0, 0.05, 80), 0.95)
        held.append(found.low <= 0.05 <= found.high)
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400) - 0.02 < np.mean(held)


def test_one_sample_says_nothing() -> None:
    found = compare(np.array([0.5]), np.array([0.7]), 0.95)
    assert found.delta == pytest.approx(0.2) and found.high - found.low > 1e6 and found.p_value == 1
