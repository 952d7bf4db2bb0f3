"""The way to the steady state is counted, and paid back just by what saves time."""

import math

import numpy as np
import pytest
import simulation
from hypothesis import assume, given
from hypothesis import strategies as st

from breakeven.engine.cold_start import breakeven_calls, calls_until_steady, cold, start_ms
from breakeven.engine.statistics import Interval

SLOW = st.lists(st.floats(2, 1e5), max_size=20)
INTERVALS = st.lists(st.floats(0.5, 2), min_size=3, max_size=3).map(
    lambda bounds: Interval(low=min(bounds), value=sorted(bounds)[1], high=max(bounds))
)


def start(*calls_ms, steady=1.0, number=0, **changes):
    """A replicate that calls so long after it was loaded, and `steady` in its blocks."""
    first, *more = calls_ms
    return simulation.replicate(number, [steady] * 3, first_call_ms=first, warmup_ms=more, **changes)


def starts(*loads_s, steady=1.0, warm=False):
    """Replicates that took so long to load, and were steady at once; `warm`: all but the first."""
    return [
        start(*[steady] * 8, steady=steady, number=at, load_s=load_s, warm=warm and at > 0)
        for at, load_s in enumerate(loads_s)
    ]


@given(SLOW, st.integers(5, 30))
def test_the_slow_calls_are_counted_until_the_steady_ones(slow, more):
    assert calls_until_steady(start(*slow, *[1.0] * more)) == len(slow)


def test_what_is_steady_from_its_first_call_needs_none():
    assert calls_until_steady(start(*[1.0] * 6)) == 0


def test_a_call_within_a_tenth_of_the_steady_ones_is_one():
    assert calls_until_steady(start(*[1.2] * 5, *[1.09] * 9)) == 5


def test_a_single_slow_call_later_on_is_not_the_way_there():
    assert calls_until_steady(start(5.0, 1.0, 1.0, 30.0, 1.0, 1.0, 1.0)) == 1


def test_a_single_quick_call_on_the_way_is_not_the_steady_state():
    assert calls_until_steady(start(5.0, 1.0, 5.0, 5.0, 5.0, *[1.0] * 9)) == 5


@given(st.lists(st.floats(1.2, 1e5), min_size=1, max_size=50))
def test_what_does_not_become_steady_in_the_warm_up_has_no_count(calls):
    assert calls_until_steady(start(*calls)) is None


@given(SLOW, st.floats(0, 100), st.floats(0.1, 10))
def test_a_start_costs_the_load_and_what_its_calls_take_above_the_steady_ones(slow, load_s, steady):
    calls = [*(steady * call for call in slow), *[steady] * 9]
    expected = 1000 * load_s + sum(steady * (call - 1) for call in slow)
    assert start_ms(start(*calls, steady=steady, load_s=load_s)) == pytest.approx(
        expected, rel=1e-6, abs=1e-6
    )


def test_a_slow_first_call_is_part_of_the_start():
    """What compiles in its first call is steady after it: just this one call is slow."""
    assert start_ms(start(2001.0, *[1.0] * 9, load_s=0.5)) == pytest.approx(500 + 2000)


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=30), st.floats(0, 10))
def test_a_start_costs_no_less_than_its_load(calls, load_s):
    assert start_ms(start(*calls, steady=5.0, load_s=load_s)) >= 1000 * load_s * (1 - 1e-12)


def test_cold_are_those_that_found_no_cache():
    first, *others = starts(9.0, 1.0, 1.0, warm=True)
    assert cold([first, *others]) == [first]
    assert cold(plain := starts(9.0, 1.0, 1.0)) == plain


# A baseline of 10 ms a call that loads in 0.1 s.
BASE = starts(0.1, 0.1, 0.1, steady=10.0)
TWICE = Interval(2, 2, 2)


def exactly(value):
    return Interval(value, value, value)


def test_break_even_of_a_worked_example():
    # Twice as fast saves 5 of 10 ms a call: 1,000 ms are paid back in 200 calls.
    assert (
        breakeven_calls(exactly(1000), BASE, starts(0.1, 0.1, 0.1, steady=5.0), TWICE, 0.95) == ("200",) * 3
    )


def test_a_slow_start_is_paid_back_too():
    assert (
        breakeven_calls(exactly(1000), BASE, starts(0.6, 0.6, 0.6, steady=5.0), TWICE, 0.95) == ("300",) * 3
    )


def test_a_start_that_saves_time_is_set_off():
    base = starts(1.1, 1.1, 1.1, steady=10.0)
    quick = starts(0.1, 0.1, 0.1, steady=5.0)
    assert breakeven_calls(exactly(1500), base, quick, TWICE, 0.95) == ("100",) * 3
    assert breakeven_calls(exactly(500), base, quick, TWICE, 0.95) == ("0",) * 3


def test_with_a_compiler_cache_the_cold_start_is_what_is_paid_back():
    compiled = starts(10.1, 0.1, 0.1, steady=5.0, warm=True)
    assert breakeven_calls(exactly(0), BASE, compiled, TWICE, 0.95)[0] == "2000"


def test_a_start_is_compared_with_the_baselines_of_the_same_replicate():
    """Both were loaded slowly when the machine was slow, so that their difference is certain."""
    base, other = starts(0.1, 5.1, 1.1, steady=10.0), starts(0.6, 5.6, 1.6, steady=5.0)
    assert breakeven_calls(exactly(0), base, other, TWICE, 0.95) == ("100",) * 3


def test_a_variant_that_stopped_early_is_compared_with_the_replicates_that_it_has():
    gain, once = Interval(2.0, 1.9, 2.1), Interval(0.0, 0.0, 0.0)
    base, variant = starts(1.0, 1.0, 9.0), starts(1.5, 1.5, steady=0.5)
    assert (
        breakeven_calls(once, base, variant, gain, 0.95)[0]
        == breakeven_calls(once, base[:2], variant, gain, 0.95)[0]
    )


def test_the_bounds_hold_the_starts_whole_interval():
    other = starts(1.1, 2.1, 3.1, steady=5.0)  # 1, 2 and 3 s more
    half = 4.302653 * 1000 / math.sqrt(3)  # Student's, of two degrees of freedom
    value, low, high = map(int, breakeven_calls(exactly(1000), BASE, other, TWICE, 0.95))
    assert value == 3000 / 5
    assert low == pytest.approx((3000 - half) / 5, abs=1)
    assert high == pytest.approx((3000 + half) / 5, abs=1)


def test_the_bounds_hold_all_builds():
    build = Interval(1000, 900, 1400)
    calls = breakeven_calls(build, BASE, starts(0.1, 0.1, 0.1, steady=5.0), TWICE, 0.95)
    assert calls == ("200", "180", "280")


def test_the_bounds_hold_the_baselines_whole_interval():
    """Jobs that measured another baseline's time would else contradict each other."""
    base = [start(*[steady] * 8, steady=steady, number=at) for at, steady in enumerate((8.0, 10.0, 12.5))]
    other = starts(0.1, 0.1, 0.1, steady=5.0)
    value, low, high = map(int, breakeven_calls(exactly(1000), base, other, TWICE, 0.95))
    spread = math.exp(4.302653 * math.log(1.25) / math.sqrt(3))  # Student's, of the logarithm
    assert value == pytest.approx(200, abs=1)
    assert (low, high) == (pytest.approx(200 / spread, abs=1), pytest.approx(200 * spread, abs=1))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (Interval(0.9, 0.8, 0.99), "never"),
        (Interval(1.1, 0.99, 1.2), "undecided"),
        (Interval(1.0, 1.0, 1.0), "undecided"),
    ],
)
def test_what_saves_nothing_has_no_number(gain, expected):
    assert breakeven_calls(exactly(1000), BASE, starts(0.1, 0.1, 0.1), gain, 0.95) == (expected,) * 3


@given(
    INTERVALS,
    st.floats(-1e6, 1e6),
    st.floats(0.001, 1000),
    st.lists(st.floats(0, 100), min_size=3, max_size=3),
    st.booleans(),
)
def test_break_even_is_never_or_undecided_or_three_ordered_counts(gain, build_ms, steady, loads_s, warm):
    assume(not 1 < gain.low < 1 + 1e-9)
    base, other = starts(0.1, 0.1, 0.1, steady=steady), starts(*loads_s, steady=steady, warm=warm)
    calls = breakeven_calls(exactly(build_ms), base, other, gain, 0.95)
    if gain.high < 1:
        assert calls == ("never",) * 3
    elif gain.low <= 1:
        assert calls == ("undecided",) * 3
    else:
        value, low, high = map(int, calls)
        assert 0 <= low <= value <= high


def test_a_bigger_saving_is_paid_back_sooner():
    other = starts(0.6, 0.6, 0.6, steady=5.0)
    counts = [
        int(breakeven_calls(exactly(1000), BASE, other, Interval(gain, gain, gain), 0.95)[0])
        for gain in np.linspace(1.05, 4, 9)
    ]
    assert counts == sorted(counts, reverse=True)
