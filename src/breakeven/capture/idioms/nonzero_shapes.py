"""A boolean mask as an index: the shape of what it picks depends on values, and Dynamo ends a graph there."""

import torch
from torch import Tensor, nn

ADVICE = "keep the shape, and set by torch.where what the mask would drop"


class Model(nn.Module):
    """Add up the squares of the positive numbers."""

    def forward(self, x: Tensor) -> Tensor:
        picked = x[x > 0]
        return picked.square().sum()


class Rewrite(nn.Module):
    """Add up as many numbers as there are, some of them zeros."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.0).square().sum()


def example() -> Tensor:
    """Return a batch with 4 positive numbers; its negation has 2."""
    return torch.tensor([[1.0, -2.0, 3.0], [0.5, -1.5, 2.5]])
