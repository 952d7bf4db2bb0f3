"""A difference counts only if it is larger than what the A/A control leaves open."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.control_rule import judge_beyond_control
from breakeven.engine.settings import TWIN
from breakeven.engine.statistics import Interval, noise_floor


def judged(variant: Interval, twin: Interval, margin: float = 0.01) -> str:
    fault = "" if twin.low <= 1 <= twin.high else "the twin differs from the baseline"
    of = {"a": Comparison("baseline"), TWIN: Comparison("twin"), "b": Comparison("", speedup=variant)}
    return judge_beyond_control(ComparisonSet(of, noise_floor(twin), fault), "a", margin)["b"].verdict


def test_a_difference_beyond_the_control_has_a_verdict_even_if_the_control_differs() -> None:
    assert judged(Interval(1.05, 1.04, 1.06), Interval(1.005, 1.001, 1.009)) == "faster"
    assert judged(Interval(0.95, 0.94, 0.96), Interval(1.0, 0.99, 1.01)) == "slower"


def test_a_difference_within_the_control_has_none() -> None:
    assert judged(Interval(1.02, 1.005, 1.035), Interval(1.0, 0.97, 1.03)) == "undecided"


def test_the_same_is_not_said_in_a_run_whose_control_differs_by_more() -> None:
    assert judged(Interval(1.0, 0.995, 1.005), Interval(1.0, 0.99, 1.01)) == "same"
    assert judged(Interval(1.0, 0.995, 1.005), Interval(1.03, 1.02, 1.04)) == "undecided"


@given(st.floats(0.7, 1.4), st.floats(0.001, 0.2), st.floats(0.7, 1.4), st.floats(0.001, 0.2))
def test_no_verdict_contradicts_its_interval(value: float, half: float, twin: float, own: float) -> None:
    spread, control = np.exp(half), np.exp(own)
    interval = Interval(value, value / spread, value * spread)
    verdict = judged(interval, Interval(twin, twin / control, twin * control))
    if verdict == "faster":
        assert interval.low > 1 and value > control
    if verdict == "slower":
        assert interval.high < 1 and 1 / value > control
