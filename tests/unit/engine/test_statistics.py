"""Estimates, intervals and verdicts, against textbook procedures and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.engine import statistics as s
from breakeven.engine.statistics import Interval

CONFIDENCES = st.floats(0.5, 0.97)  # more makes nothing known of two replicates, which is cut
INTERVALS = st.lists(st.floats(0.5, 2), min_size=3, max_size=3).map(
    lambda bounds: Interval(low=min(bounds), value=sorted(bounds)[1], high=max(bounds))
)


@given(st.lists(st.floats(1, 100), min_size=2, max_size=8))
def test_latency_scales_with_its_unit(values):
    one, thousand = s.latency(values, 0.95), s.latency([1000 * value for value in values], 0.95)
    expected = (1000 * one.value, 1000 * one.low, 1000 * one.high)
    assert (thousand.value, thousand.low, thousand.high) == pytest.approx(expected)


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


@given(st.floats(1e-4, 0.5), st.floats(2, 100), st.floats(0.5, 0.9), st.floats(0.91, 0.99))
def test_detectable_effect_grows_with_the_power_asked_for(error, df, low, high):
    assert 1 < s.detectable_effect(error, df, 2.5, low) < s.detectable_effect(error, df, 2.5, high)


def test_the_detectable_effect_is_found_in_four_of_five_runs():
    draw, error, df = np.random.default_rng(0), 0.01, 8
    critical = stats.t.ppf(0.975, df)
    effect = math.log(s.detectable_effect(error, df, critical))
    found = draw.normal(effect, error, 20_000) / (error * np.sqrt(draw.chisquare(df, 20_000) / df)) > critical
    assert found.mean() == pytest.approx(s.POWER, abs=0.02)


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
    latency = s.latency([1e-40, 1e40], 0.999)
    assert 0 < latency.low < latency.value < latency.high < math.inf
    assert 1 < s.detectable_effect(100.0, 1.0, 600.0) < math.inf


@given(st.floats(-3, 3), st.floats(0, 50), st.floats(0, 50))
def test_an_interval_of_logarithms_holds_its_center_and_stays_finite(center, below, above):
    interval = s.from_bounds(center, center - below, center + above)
    assert 0 < interval.low <= interval.value <= interval.high < math.inf
