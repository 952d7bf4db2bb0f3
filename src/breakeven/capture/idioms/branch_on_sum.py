"""A branch on the sum of the input: a trace keeps the side that the example took."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "compute both sides, and choose by torch.where"


class Model(nn.Module):
    """Add 1 to positive inputs, subtract 1 from the others."""

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return x + 1
        return x - 1


class Rewrite(nn.Module):
    """The same, without a branch."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x.sum() > 0, x + 1, x - 1)


def example() -> Tensor:
    """Return a batch whose sum is positive."""
    return torch.arange(6.0).reshape(2, 3)
