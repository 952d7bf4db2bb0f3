"""A model with one operator that can be slowed on purpose."""

import time

import torch
from torch import Tensor, nn

LIBRARY = torch.library.Library("breakeven_test", "DEF")
LIBRARY.define("slow_relu(Tensor x, float us) -> Tensor")


def _slow_relu(x: Tensor, us: float) -> Tensor:
    end = time.perf_counter_ns() + int(1e3 * us)
    while time.perf_counter_ns() < end:
        pass
    return torch.clamp_min(x, 0)


LIBRARY.impl("slow_relu", _slow_relu, "CPU")


class Slowed(nn.Module):
    """Two convolutions with the operator between them."""

    def __init__(self, us: float) -> None:
        super().__init__()
        self.us = us
        self.first, self.second = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        between = torch.ops.breakeven_test.slow_relu(self.first(x), self.us)
        return self.second(between).mean((1, 2, 3))[:, None]
