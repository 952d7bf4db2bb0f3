"""What the passes of compilers do: claims of the literature, asserted or refuted on small graphs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from breakeven.core.errors import Unsupported, UserError
from breakeven.diagnosis import ladder
from breakeven.diagnosis.ladder import Step
from breakeven.diagnosis.ladders import torchscript
from breakeven.plugins.models.cnn import cnn
from breakeven.plugins.models.resnet18 import resnet18

IMAGE = torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
LADDERS = [(name, rung.name) for name in ladder.names() for rung in ladder.load(name).rungs]


@pytest.fixture
def climb(tmp_path: Path) -> Callable[..., Step]:
    """A function that returns a model after a rung's passes."""

    def step(name: str, rung: str, model: nn.Module, x: Tensor = IMAGE) -> Step:
        own = ladder.load(name)
        own.prepare(model.eval(), (x,), tmp_path)
        return own.step(rung, (x,), tmp_path)

    return step


def count(step: Step, kind: str) -> int:
    return sum(number for name, number in step.nodes.items() if kind in name)


@pytest.mark.parametrize(("name", "rung"), [each for each in LADDERS if each[0] != "torch_compile"])
def test_every_rung_computes_what_eager_does(name: str, rung: str, climb: Callable[..., Step]) -> None:
    model = cnn(in_channels=3, num_classes=10)
    with torch.no_grad():
        expected = model.eval()(IMAGE).numpy()
        try:
            step = climb(name, rung, model)
        except Unsupported as error:
            assert "built without LLVM" in str(error) and not torch._C._llvm_enabled()
            return
        got: Any = step.call(IMAGE)
    got = got[0] if isinstance(got, list) else got.numpy()
    assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()
    assert step.nodes and step.graph


@pytest.mark.parametrize(
    ("rung", "normalizations"), [("trace", 20), ("clean", 20), ("freeze", 20), ("fold", 0), ("onednn", 0)]
)
def test_a_trace_keeps_resnets_batch_normalizations_until_they_are_folded(
    rung: str, normalizations: int, climb: Callable[..., Step]
) -> None:
    """So "the JIT fuses them by itself" is false."""
    step = climb("torchscript", rung, resnet18(in_channels=3, num_classes=10))
    assert count(step, "batch_norm") == normalizations
    assert count(step, "convolution") == 20


def test_onnx_runtime_folds_no_batch_normalization_that_the_exporter_left(climb: Callable[..., Step]) -> None:
    """The exporter's own optimizer folds them, before ONNX Runtime sees the graph."""
    model = resnet18(in_channels=3, num_classes=10)
    found = {rung: climb("onnxruntime", rung, model) for rung in ("raw", "exported", "all")}
    assert {rung: count(step, "BatchNormalization") for rung, step in found.items()} == {
        "raw": 20,
        "exported": 0,
        "all": 0,
    }


WASTEFUL = """
graph(%x : Tensor):
  %two : int = prim::Constant[value=2]()
  %three : int = prim::Constant[value=3]()
  %six : int = aten::mul(%two, %three)
  %dead : Tensor = aten::sin(%x)
  %one : Tensor = aten::mul(%x, %six)
  %same : Tensor = aten::mul(%x, %six)
  %sum : Tensor = aten::sub(%one, %same, %two)
  return (%sum)
"""


def test_dead_code_goes_constants_are_folded_and_common_parts_are_computed_once() -> None:
    graph = torch._C.parse_ir(WASTEFUL)
    torchscript.clean(graph)
    kinds = [node.kind() for node in graph.nodes()]
    assert "aten::sin" not in kinds and kinds.count("aten::mul") == 1
    constants = [node.output().toIValue() for node in graph.nodes() if node.kind() == "prim::Constant"]
    assert 6 in constants and 3 not in constants


class Dead(nn.Module):
    """Computes something that nobody uses."""

    def forward(self, x: Tensor) -> Tensor:
        torch.sin(x)
        return x * 2


def test_a_trace_has_lost_dead_code_already(climb: Callable[..., Step]) -> None:
    assert count(climb("torchscript", "trace", Dead(), torch.ones(2)), "aten::sin") == 0


class Linear(nn.Module):
    """Two pointwise operations."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 + 1


def test_pointwise_operations_become_one_kernel_only_where_this_build_has_a_fuser(
    climb: Callable[..., Step],
) -> None:
    assert climb("torch_compile", "typed", Linear(), torch.ones(64)).nodes == {"cpp_fused": 1}
    if not torch._C._llvm_enabled():
        with pytest.raises(Unsupported, match="without LLVM"):
            climb("torchscript", "fuse", Linear(), torch.ones(64))


def test_a_traced_block_of_convolution_normalization_and_activation_becomes_two_nodes(
    climb: Callable[..., Step],
) -> None:
    """One convolution with folded weights, and an activation that oneDNN takes in place."""
    block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    before, after = (climb("torchscript", rung, block) for rung in ("trace", "onednn"))
    assert [count(before, kind) for kind in ("_convolution", "batch_norm", "relu")] == [1, 1, 1]
    assert count(after, "batch_norm") == 0
    assert count(after, "mkldnn_convolution") == 1


def test_a_ladder_that_there_is_not_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="did you mean 'torchscript'"):
        ladder.load("torchscrip")


def test_a_rung_stands_on_those_below() -> None:
    own = ladder.load("torchscript")
    assert own.below("inference") == ["trace", "clean", "freeze", "fold", "inference"]
    assert own.with_below("inference") == ("fold", "inference") and own.with_below("trace") == ("trace",)
