"""A branch on a number read by .item(): a trace keeps the side that the example took."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "keep the number a tensor, and choose by torch.where"


class Model(nn.Module):
    """Double inputs with a positive mean, halve the others."""

    def forward(self, x: Tensor) -> Tensor:
        if x.mean().item() > 0:
            return x * 2
        return x / 2


class Rewrite(nn.Module):
    """The same, without a number in Python."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x.mean() > 0, x * 2, x / 2)


def example() -> Tensor:
    """Return a batch whose mean is positive."""
    return torch.arange(6.0).reshape(2, 3)
