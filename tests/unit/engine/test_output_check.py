"""Outputs are compared before anything is timed."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.errors import UserError
from breakeven.engine.output_check import CLOSE, EQUAL, difference, plain

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32) | st.integers(-(2**31), 2**31)
TREES = st.recursive(
    NUMBERS | st.text(max_size=5) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(TREES, st.sampled_from([CLOSE, EQUAL]))
def test_an_output_agrees_with_itself(tree: object, check: str) -> None:
    assert difference(plain(tree), plain(tree), check) == ""


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=8), st.integers(0, 7))
def test_one_wrong_number_is_found_and_a_rounding_is_not(values: list[float], index: int) -> None:
    base = np.asarray(values)
    wrong = base.copy()
    wrong[index % len(values)] += 0.1 * base.max()
    assert difference(base, wrong, CLOSE)
    rounded = base * (1 + 1e-6)
    assert difference(base, rounded, CLOSE) == ""
    assert difference(base, rounded, EQUAL)


@pytest.mark.parametrize(
    ("base", "other", "reason"),
    [
        ([1, "a"], [1, "b"], r"output\[1\] is 'b', not 'a'"),
        ({"x": 1}, {"y": 1}, "has the keys"),
        ([1, 2], [1], "has 1 items, not 2"),
        (np.ones(2), np.ones(3), "has the shape"),
        ({"x": [np.ones(2)]}, {"x": [np.zeros(2)]}, r"output\['x'\]\[0\] is off by up to 1"),
        (1.0, None, "is None, not 1.0"),
        (np.array([1.0, np.nan]), np.array([np.nan, 1.0]), "is off by"),
    ],
)
def test_a_difference_is_named_with_its_place(base: object, other: object, reason: str) -> None:
    import re

    assert re.search(reason, difference(base, other, CLOSE))


@dataclass
class Boxes:
    corners: torch.Tensor
    names: tuple[str, ...]


def test_tensors_tuples_and_dataclasses_become_plain() -> None:
    value = plain(OrderedDict(a=Boxes(torch.ones(2, dtype=torch.bfloat16, requires_grad=True), ("x",))))
    assert value["a"]["names"] == ["x"]
    assert value["a"]["corners"].tolist() == [1.0, 1.0]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UserError, match="holds a generator, which 'close' and 'equal' cannot compare"):
        plain([(n for n in ())])


def test_a_users_function_decides() -> None:
    assert difference(1, 2, lambda base, other: other == 2 * base) == ""
    assert difference(1, 3, lambda base, other: other == 2 * base)
