"""A model that returns a tensor or a tuple, as its input has it: a graph has one structure of outputs."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "return the same outputs on both paths, with a tensor that says which one counts"


class Model(nn.Module):
    """Return positive inputs alone, the others with their double."""

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if x.sum() > 0:
            return x
        return x, x * 2


class Rewrite(nn.Module):
    """Return the input, its double, and whether the double counts."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return x, x * 2, x.sum() <= 0


def example() -> Tensor:
    """Return a batch whose sum is positive."""
    return torch.arange(6.0).reshape(2, 3)
