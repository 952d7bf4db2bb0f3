"""Integers divided with //: Python rounds down, and some runtimes' division of integers to zero."""

import torch
from torch import Tensor, nn

ADVICE = "call torch.div with rounding_mode='floor', also for the remainder"


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x // 4 + x % 3


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        third = torch.div(x, 3, rounding_mode="floor")
        return torch.div(x, 4, rounding_mode="floor") + (x - third * 3)


def example() -> Tensor:
    """Return two rows of integers, of both signs."""
    return torch.arange(-5, 7).reshape(2, 6)
