"""Models of several outputs: all tensors leave the model, those that are scored first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from breakeven.artifacts.output_of import OutputOf, named_tensors
from breakeven.artifacts.records import errors, fields_of, leading
from breakeven.artifacts.tensors import to_array
from breakeven.pipeline.model_promises import BrokenPromise, check_evaluation


@dataclass
class Found:
    logits: Tensor
    boxes: Tensor
    count: int = 3


class Gives(nn.Module):
    """Gives two tensors in some form."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Any:
        return self.form(self.layer(x), x[:, :2].repeat(1, 3))


FORMS = {
    "a mapping": (lambda a, b: {"logits": a, "boxes": b, "none": None}, "logits"),
    "a tuple": (lambda a, b: (a, b), 0),
    "a nested mapping": (lambda a, b: {"other": [b], "found": {"logits": a}}, "found.logits"),
    "a dataclass": (Found, "logits"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_scored_output_comes_first_whatever_the_form(form: str) -> None:
    make, key = FORMS[form]
    model = OutputOf(Gives(make), key).eval()
    scored, other = model(torch.ones(2, 4))
    assert scored.shape == (2, 3) and other.shape == (2, 6)
    check_evaluation(model, torch.randn(4, 4), (3,))


def test_a_single_tensor_stays_one() -> None:
    assert isinstance(OutputOf(Gives(lambda a, b: {"out": a}), "out")(torch.ones(2, 4)), Tensor)


def test_a_wrong_name_lists_what_there_is() -> None:
    with pytest.raises(KeyError, match="_output_: 'boxs' is none of logits, boxes"):
        OutputOf(Gives(Found), "boxs")(torch.ones(2, 4))


def test_without_a_choice_the_message_names_the_setting() -> None:
    with pytest.raises(BrokenPromise, match=r"a Found of logits, boxes .write `_output_: logits`"):
        check_evaluation(Gives(Found).eval(), torch.randn(4, 4), (3,))


def test_an_output_that_belongs_to_no_sample_is_refused() -> None:
    model = OutputOf(Gives(lambda a, b: {"logits": a, "all": b.sum(0)}), "logits").eval()
    with pytest.raises(BrokenPromise, match=r"one of its outputs is \(6,\) for 2 samples"):
        check_evaluation(model, torch.randn(4, 4), (3,))


def test_tensors_are_named_by_their_place() -> None:
    value = {"a": torch.ones(1), "b": [torch.ones(2), {"c": torch.ones(3)}], "text": "no tensor"}
    assert [name for name, _ in named_tensors(value)] == ["a", "b.0", "b.1.c"]


def test_several_outputs_are_records_and_the_worst_decides() -> None:
    one = (torch.tensor([[1.0, 2.0]]), torch.tensor([[100.0]]))
    records = to_array(one)
    assert records.dtype.names and [a.shape for a in fields_of(records)] == [(1, 2), (1, 1)]
    assert np.array_equal(leading(records, 1), [[1.0, 2.0]])
    other = to_array((one[0] + 0.5, one[1] + 1))
    assert errors(other, records) == pytest.approx((0.5, 0.25))
    assert errors(other, leading(records, 1)) == pytest.approx((0.5, 0.25))  # the first alone
    assert errors(to_array(one[1]), to_array(one[1])) == (0.0, 0.0)
    broken = to_array((one[0], torch.tensor([[float("nan")]])))
    assert not errors(broken, records)[1] <= 1e9
