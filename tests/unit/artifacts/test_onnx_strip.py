"""An ONNX file without what only people read gives the same logits, to the bit."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from shipped_options import RUNTIMES, TOOLCHAINS
from torch import Tensor, nn

from breakeven.core import plugin
from breakeven.plugins.models.cnn import cnn
from breakeven.plugins.models.resnet18 import resnet18
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput

IMAGES = np.random.default_rng(0).random((8, 1, 8, 8), np.float32)
PLACE = ExecutionContext("cpu", 1)
SCHEMES = [None, *(name for name, own in TOOLCHAINS.items() if own["name"] == "onnxruntime")]


class Conditional(nn.Module):
    """A graph within a graph, which uses what is outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 10)

    def forward(self, images: Tensor) -> Tensor:
        seen = self.first(images)
        seen = torch.cond(seen.sum() > 0, lambda x: x + seen, lambda x: x * 2 - seen, (seen.relu(),))
        return self.last(seen.flatten(1))


class Twice(nn.Module):
    """One convolution, whose bias is that of two calls."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(256, 10)
        nn.init.constant_(self.shared.bias, 3.0)

    def forward(self, images: Tensor) -> Tensor:
        seen = self.shared(self.first(images).relu())
        return self.last(self.shared(seen.relu() / 8).flatten(1))


MODELS = {
    "twice": Twice,
    "cnn": lambda: cnn(1, 10, width=8),
    "resnet18": lambda: resnet18(1, 10, width=4),
    "conditional": Conditional,
}


QUICK = {("twice", None), ("conditional", "onnxruntime_dynamic")}


def made(model: nn.Module, scheme: str | None, folder: Path) -> onnx.ModelProto:
    runtime = plugin.load("runtimes", RUNTIMES["onnxruntime"], "onnxruntime")
    source = ExportInput(model, torch.from_numpy(IMAGES[:2]), folder, "outside")
    folder.mkdir()
    if scheme is None:
        runtime.export(source, folder)
    else:
        examples = CalibrationData(IMAGES, IMAGES, np.zeros(8, np.int64))
        plugin.load("quantization", TOOLCHAINS[scheme], scheme).quantize(examples, runtime, source, folder)
    return onnx.load(folder / "model.onnx")


def executed(folder: Path) -> tuple[list[str], np.ndarray]:
    """The operators after all of ONNX Runtime's own fusions, and the logits."""
    runtime = plugin.load("runtimes", RUNTIMES["onnxruntime"], "onnxruntime")
    session = runtime.load(folder, PLACE, "outside")
    kernels = runtime.profile(folder, PLACE, session, IMAGES, 1).operators
    return sorted(kernel.operator for kernel in kernels), session.logits(IMAGES)


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        pytest.param(
            name, scheme, marks=[] if name == "cnn" or (name, scheme) in QUICK else [pytest.mark.slow]
        )
        for name in MODELS
        for scheme in SCHEMES
    ],
)
def test_a_slim_file_computes_what_it_did(
    name: str, scheme: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    after = made(model, scheme, tmp_path / "after")
    monkeypatch.setattr("breakeven.artifacts.onnx_strip.strip_names", lambda model: None)
    before = made(model, scheme, tmp_path / "before")
    (operators, logits), (expected, full) = executed(tmp_path / "after"), executed(tmp_path / "before")
    assert operators == expected and np.array_equal(logits, full)
    assert ([i.name for i in after.graph.input], [o.name for o in after.graph.output]) == (
        ["images"],
        ["logits"],
    )
    assert before.graph.value_info and not after.metadata_props
    for graph in graphs(after.graph):
        assert not graph.value_info and not any(node.name or node.doc_string for node in graph.node)
    assert after.ByteSize() < before.ByteSize() - 1000
    onnx.checker.check_model(after)
