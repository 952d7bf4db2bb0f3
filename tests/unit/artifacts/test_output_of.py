"""Models of several outputs: all tensors leave the model, those that are scored first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from breakeven.artifacts.output_of import OutputOf, named_tensors
from breakeven.artifacts.records import as_samples, errors, fields_of, leading
from breakeven.artifacts.tensors import to_array, to_tensors
from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.pipeline.model_promises import BrokenPromise, check_evaluation, require_order
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput


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


class Tokens(nn.Module):
    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return ids.float() * mask


def test_inputs_in_another_order_than_the_arguments_are_refused() -> None:
    require_order(Tokens(), ["ids", "mask"])
    require_order(OutputOf(Tokens(), 0), ["ids", "mask"])
    require_order(Tokens(), ["input0", "input1"])  # other names say nothing
    with pytest.raises(
        BrokenPromise, match="its forward takes ids, mask, and a sample's inputs are mask, ids"
    ):
        require_order(Tokens(), ["mask", "ids"])


def test_a_mapping_is_ordered_by_the_model_s_names() -> None:
    ids, mask = np.arange(3)[None], np.ones((1, 3), np.int64)
    assert as_samples({"mask": mask, "ids": ids}, ["ids", "mask"]).dtype.names == ("ids", "mask")
    with pytest.raises(UserError, match="the inputs are mask, and the model takes ids, mask"):
        as_samples({"mask": mask}, ["ids", "mask"])
    with pytest.raises(UserError, match="the model takes ids, mask, and one array came"):
        as_samples(mask, ["ids", "mask"])
    with pytest.raises(UserError, match="the model takes ids, mask, and 3 inputs came"):
        as_samples((mask, ids, ids), ["ids", "mask"])


def test_fx_quantizes_what_is_inside(tmp_path: Path) -> None:
    model = OutputOf(Gives(lambda a, b: {"logits": a, "boxes": b}), "logits").eval()
    inputs = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    settings = {"name": "torch_fx", "runtime": "torchscript_frozen", "scheme": "static"}
    toolchain = plugin.load("quantization", settings, "quantizations.mine")
    runtime = plugin.load("runtimes", {"name": "torchscript", "method": "trace"}, "runtimes.mine")
    source = ExportInput(model, to_tensors(inputs[:2]), tmp_path, "outside")
    toolchain.quantize(CalibrationData(inputs, inputs, np.zeros(8, np.int64)), runtime, source, tmp_path)
    context = ExecutionContext("cpu", 1)
    runtime.start(tmp_path, context)
    given = runtime.load(tmp_path, context, "outside").logits(inputs)
    with torch.no_grad():
        expected = to_array(model(torch.from_numpy(inputs)))
    assert 0 < errors(leading(given, 1), leading(expected, 1))[1] < 0.1  # in int8, and close
    assert np.allclose(given["output1"], expected["output1"], atol=0.1)


def test_whole_numbers_count_by_their_share_and_infinities_by_their_place() -> None:
    scored = torch.ones(4, 2)
    classes = torch.tensor([0, 1, 2, 3])
    masked = torch.tensor([[1.0, -torch.inf]] * 4)
    expected = to_array((scored, classes, masked))
    assert expected.dtype["output1"].kind == "i"
    assert errors(to_array((scored, classes, masked)), expected) == (0.0, 0.0)
    assert errors(to_array((scored, classes.roll(1), masked)), expected)[1] == 1.0
    assert errors(to_array((scored, classes, torch.ones(4, 2))), expected)[1] == float("inf")
