"""Operators without what calling and profiling them takes."""

import pytest

from breakeven.artifacts.operator_kinds import CONVOLUTION
from breakeven.artifacts.operators import OperatorTime
from breakeven.diagnosis.operator_parts import Empty, split

EMPTY = Empty(us=0.5, told_us=2.0)


def test_what_an_operator_calls_belongs_to_it() -> None:
    nested = [
        OperatorTime("aten::conv2d", "fp32", 0.003, 1, "aten::conv2d"),
        OperatorTime("aten::_slow_conv2d_forward", "fp32", 0.012, 1, "aten::conv2d"),
        OperatorTime("aten::view", "", 0.002, 2, "aten::conv2d"),
    ]
    (conv,), calling = split(nested, EMPTY, 1.0)
    assert (conv.operator, conv.kind, conv.calls) == ("aten::conv2d", CONVOLUTION, 1)
    assert conv.inner == "aten::_slow_conv2d_forward" and conv.precision == "fp32"
    assert conv.us == pytest.approx(1 + 10)  # each less what an empty one is told to take
    assert calling == pytest.approx(0.5 + 0.5 + 2 * 0.5 * (2 / 4))


def test_operators_of_one_kind_of_call_are_added_up() -> None:
    (conv,), calling = split([OperatorTime("Conv", "fp32", 0.006, 1)] * 3, EMPTY, 0.5)
    assert conv.calls == 3 and conv.us == pytest.approx(0.5 * (18 - 6)) and not conv.inner
    assert calling == pytest.approx(1.5)


def test_what_a_profiler_disturbs_is_taken_off_each_call_and_not_in_proportion_to_the_time() -> None:
    told = [OperatorTime("Wait", "", 0.102, 1), OperatorTime("Add", "", 0.030, 10)]
    (wait, add), _ = split(told, EMPTY, 0.9)  # 110 µs beyond empty operators: 11 too many, 1 at each call
    assert wait.us == pytest.approx(99) and add.us == pytest.approx(0)


def test_an_operator_that_is_cheaper_than_an_empty_one_costs_less_to_call() -> None:
    (cheap,), calling = split([OperatorTime("Reshape", "", 0.001, 1)], EMPTY, 1.0)
    assert cheap.us == 0 and calling == pytest.approx(0.25)


def test_a_runtime_that_fused_the_chain_has_no_cost_of_calls() -> None:
    (kernel,), calling = split([OperatorTime("kernel", "fp32", 0.007, 1)], Empty(0.0, 0.0), 1.0)
    assert kernel.us == pytest.approx(7) and calling == 0
