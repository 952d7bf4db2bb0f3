"""PT2E on ResNet-18, whose blocks call one ReLU twice."""

from pathlib import Path

import numpy as np
import pytest
import torch
from shipped_options import RUNTIMES, TOOLCHAINS
from torch import nn

from breakeven.core import plugin
from breakeven.plugins.models.resnet18 import resnet18
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.runtimes.base import ExportInput

IMAGES = np.random.default_rng(0).random((8, 3, 32, 32), np.float32)


class Checked:
    """A runtime that looks at what it is given, in the place of one that compiles it."""

    def export(self, source: ExportInput, folder: Path) -> None:
        with torch.no_grad():
            self.logits = source.model(torch.from_numpy(IMAGES))
        self.code = source.model.code  # type: ignore[operator]


def quantized(model: nn.Module, name: str, folder: Path, **settings: bool) -> Checked:
    toolchain = plugin.load("quantization", {**TOOLCHAINS[name], **settings}, name)
    assert toolchain.runtime in RUNTIMES
    source, runtime = ExportInput(model, torch.from_numpy(IMAGES[:2]), folder, "outside"), Checked()
    toolchain.quantize(CalibrationData(IMAGES, IMAGES, np.zeros(8, np.int64)), runtime, source, folder)
    return runtime


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, own in TOOLCHAINS.items() if own["name"] == "pt2e"])
def test_resnet18_is_quantized_per_channel_and_near_to_what_it_was(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = resnet18(3, 10, width=16).eval()
    runtime = quantized(model, name, tmp_path)
    with torch.no_grad():
        expected = model(torch.from_numpy(IMAGES))
    assert (runtime.logits - expected).abs().max() < 0.2 * expected.abs().max()
    assert "quantize_per_channel" in str(runtime.code)


@pytest.mark.parametrize(
    ("settings", "vnni", "largest"),
    [({}, False, 127), ({}, True, 255), ({"reduce_range": False}, False, 255)],
)
def test_where_products_could_overflow_seven_bits_are_used(
    settings: dict[str, bool], vnni: bool, largest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ["avx2", "avx512_vnni"] if vnni else ["avx2"]
    monkeypatch.setattr("breakeven.plugins.quantization.base.features", lambda: flags)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 30 * 30, 10)).eval()
    code = str(quantized(model, "torch_compile_static", tmp_path, **settings).code)
    assert f", 0, {largest}, torch.uint8" in code
    assert f", 0, {382 - largest}, torch.uint8" not in code
