"""PT2E on ResNet-18, whose blocks call one ReLU twice."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_artifacts import RUNTIMES, TOOLCHAINS

from breakeven import option
from breakeven.model.resnet18 import resnet18
from breakeven.quantization.base import Examples
from breakeven.runtime.base import Source

IMAGES = np.random.default_rng(0).random((8, 3, 32, 32), np.float32)


class Checked:
    """A runtime that looks at what it is given, in the place of one that compiles it."""

    def export(self, source: Source, folder: Path) -> None:
        with torch.no_grad():
            self.logits = source.model(torch.from_numpy(IMAGES))
        self.code = source.model.code  # type: ignore[operator]


@pytest.mark.parametrize("name", [name for name, own in TOOLCHAINS.items() if own["name"] == "pt2e"])
def test_resnet18_is_quantized_per_channel_and_near_to_what_it_was(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = resnet18(3, 10, width=16).eval()
    toolchain = option.load("quantization", TOOLCHAINS[name], name)
    assert toolchain.runtime in RUNTIMES
    source, runtime = Source(model, torch.from_numpy(IMAGES[:2]), tmp_path, "outside"), Checked()
    toolchain.quantize(Examples(IMAGES, IMAGES, np.zeros(8, np.int64)), runtime, source, tmp_path)
    with torch.no_grad():
        expected = model(torch.from_numpy(IMAGES))
    assert (runtime.logits - expected).abs().max() < 0.2 * expected.abs().max()
    assert "quantize_per_channel" in str(runtime.code)
