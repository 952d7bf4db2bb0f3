"""The passes of each compiler are timed side by side, with an interval for each."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from breakeven.diagnosis import climb, ladder
from breakeven.plugins.models.cnn import cnn

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
FEWEST = {"torchscript": 6, "onnxruntime": 4, "torch_compile": 3}  # rungs that this build surely has


def small(channels: int) -> tuple[torch.nn.Module, tuple[torch.Tensor, ...]]:
    torch.manual_seed(0)
    return cnn(in_channels=channels, num_classes=10), (torch.ones(1, channels, 16, 16),)


@pytest.mark.parametrize("name", ladder.names())
def test_every_rung_has_a_gain_with_an_interval(name: str, tmp_path: Path) -> None:
    climbed = climb.climb(name, partial(small, 3), 10.0, tmp_path)
    timed = [each for each in climbed if not each.reason]
    assert len(timed) >= FEWEST[name], [each.reason for each in climbed]
    for each in timed:
        over: Any = each.over_eager
        assert over.low < over.value < over.high and each.error is not None and each.error <= 1e-5
        if each.rung.after:
            assert each.gain is not None and each.gain.low < each.gain.value < each.gain.high
