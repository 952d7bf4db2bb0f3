"""Estimates, intervals, Holm's correction and verdicts, against textbook procedures and simulation."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from breakeven.engine import statistics as s
from breakeven.engine.statistics import Interval

# Multiples of 1e-4: a spread is zero or large enough for floating point.
RATIOS = st.lists(st.integers(-5000, 5000).map(lambda n: n / 10_000), min_size=2, max_size=12)
CONFIDENCES = st.floats(0.5, 0.97)  # more makes nothing known of two replicates, which is cut
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)
INTERVALS = st.lists(st.floats(0.5, 2), min_size=3, max_size=3).map(
    lambda bounds: Interval(low=min(bounds), value=sorted(bounds)[1], high=max(bounds))
)


@given(RATIOS, CONFIDENCES)
def test_speedup_lies_within_its_interval(ratios, confidence):
    gain = s.speedup(ratios, confidence)
    assert gain.low <= gain.value <= gain.high


@given(RATIOS)
def test_speedup_is_the_geometric_mean(ratios):
    product = math.prod(map(math.exp, ratios))
    assert s.speedup(ratios, 0.95).value == pytest.approx(product ** (1 / len(ratios)))


@given(RATIOS, CONFIDENCES, CONFIDENCES)
def test_more_confidence_gives_a_wider_interval(ratios, one, other):
    assume(np.ptp(ratios) > 0 and abs(one - other) > 1e-6)
    narrow, wide = (s.speedup(ratios, confidence) for confidence in sorted((one, other)))
    assert wide.low < narrow.low and narrow.high < wide.high


@given(RATIOS, CONFIDENCES)
def test_exchanging_baseline_and_variant_inverts_the_interval(ratios, confidence):
    gain, loss = s.speedup(ratios, confidence), s.speedup([-r for r in ratios], confidence)
    assert (loss.value, loss.low, loss.high) == pytest.approx((1 / gain.value, 1 / gain.high, 1 / gain.low))


@given(RATIOS, CONFIDENCES)
def test_p_value_is_below_the_level_just_if_the_interval_excludes_1(ratios, confidence):
    p = s.p_value(ratios)
    assume(abs(p - (1 - confidence)) > 1e-9)
    gain = s.speedup(ratios, confidence)
    assert (p < 1 - confidence) == (not gain.low <= 1 <= gain.high)


@given(st.lists(st.floats(1, 100), min_size=2, max_size=8))
def test_latency_scales_with_its_unit(values):
    one, thousand = s.latency(values, 0.95), s.latency([1000 * value for value in values], 0.95)
    expected = (1000 * one.value, 1000 * one.low, 1000 * one.high)
    assert (thousand.value, thousand.low, thousand.high) == pytest.approx(expected)


def test_the_95_percent_interval_holds_the_true_speedup_in_95_percent_of_the_runs():
    runs = np.random.default_rng(1).normal(math.log(1.04), 0.0105, size=(2000, 5))
    held = [gain.low <= 1.04 <= gain.high for gain in (s.speedup(run, 0.95) for run in runs.tolist())]
    assert 0.93 < np.mean(held) < 0.97


def textbook_holm(p_values, alpha):
    """Sort; reject while p(k) < alpha / (m - k), k from 0; keep the first that is not and all after it."""
    rejected, left = set(), sorted(range(len(p_values)), key=lambda i: p_values[i])
    while left and p_values[left[0]] < alpha / len(left):
        rejected.add(left.pop(0))
    return rejected


@given(P_VALUES, st.floats(0.001, 0.2))
def test_holm_rejects_what_the_textbook_procedure_rejects(p_values, alpha):
    levels = s.holm(p_values, alpha)
    rejected = {i for i, (p, level) in enumerate(zip(p_values, levels, strict=True)) if p < level}
    assert rejected == textbook_holm(p_values, alpha)


def test_holm_levels_of_a_worked_example():
    # The 3rd smallest, 0.03, is not below 0.05 / 2: it stops, and 0.04 is tested at that level too.
    assert s.holm([0.01, 0.04, 0.03, 0.005], 0.05) == pytest.approx([0.05 / 3, 0.025, 0.025, 0.0125])


@given(P_VALUES, st.floats(0.001, 0.2))
def test_holm_levels_lie_between_bonferroni_s_and_alpha(p_values, alpha):
    assert all(alpha / len(p_values) <= level <= alpha for level in s.holm(p_values, alpha))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.02, 1.05, s.FASTER),
        (1.001, 1.05, s.FASTER),
        (0.95, 0.98, s.SLOWER),
        (0.995, 1.005, s.SAME),
        (1.002, 1.008, s.SAME),  # a real difference, within the margin
        (1.0, 1.05, s.UNDECIDED),
        (0.95, 1.0, s.UNDECIDED),
        (0.5, 2.0, s.UNDECIDED),
    ],
)
def test_verdict_of_an_interval(low, high, expected):
    assert s.verdict(Interval(math.sqrt(low * high), low, high), 0.01) == expected


@given(INTERVALS, st.floats(0.001, 0.5))
def test_verdict_faster_or_slower_just_if_1_is_excluded_and_the_margin_is_left(interval, margin):
    left = interval.low < 1 / (1 + margin) or interval.high > 1 + margin
    expected = {
        s.FASTER: interval.low > 1 and left,
        s.SLOWER: interval.high < 1 and left,
        s.SAME: not left,
        s.UNDECIDED: interval.low <= 1 <= interval.high and left,
    }
    assert [name for name, holds in expected.items() if holds] == [s.verdict(interval, margin)]


@given(INTERVALS)
def test_noise_floor_is_at_least_1_and_covers_both_bounds(twin):
    floor = s.noise_floor(twin)
    assert floor >= 1 and 1 / floor <= twin.low * (1 + 1e-12) and twin.high <= floor


@given(RATIOS, st.floats(0.5, 0.9), st.floats(0.91, 0.99))
def test_detectable_effect_grows_with_the_power_asked_for(ratios, low, high):
    assume(np.ptp(ratios) > 0)
    assert 1 < s.detectable_effect(ratios, 0.05, low) < s.detectable_effect(ratios, 0.05, high)


@given(st.lists(st.integers(-(10**6), 10**6).map(float), min_size=2, max_size=8), CONFIDENCES)
def test_the_mean_of_something_that_is_no_ratio_has_students_interval(values, confidence):
    bounds = (
        stats.ttest_1samp(values, 0).confidence_interval(confidence) if np.ptp(values) else [values[0]] * 2
    )
    found = s.mean(values, confidence)
    assert (found.value, found.low, found.high) == pytest.approx(
        (np.mean(values), *bounds), rel=1e-6, abs=1e-6
    )


def test_two_replicates_that_are_worlds_apart_still_give_numbers():
    gain = s.speedup([-100.0, 100.0], 0.999)
    assert 0 < gain.low < gain.value == 1 < gain.high < math.inf
    assert 1 < s.detectable_effect([-100.0, 100.0], 0.001) < math.inf
