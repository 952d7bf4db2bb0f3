"""A loop until the input is small: a trace keeps the number of turns that the example took."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "compute the number of turns as a tensor, or take the most turns always and choose by torch.where"


class Model(nn.Module):
    """Halve the input until its norm is at most 1."""

    def forward(self, x: Tensor) -> Tensor:
        while x.norm() > 1:
            x = x / 2
        return x


class Rewrite(nn.Module):
    """Divide once, by the power of 2 that the loop would reach."""

    def forward(self, x: Tensor) -> Tensor:
        turns = x.norm().log2().ceil().clamp(min=0)
        return x / torch.pow(2.0, turns)


def example() -> Tensor:
    """Return a batch of norm 2.5: two turns."""
    return torch.tensor([[0.0, 1.5, -0.5], [1.0, 0.5, -1.5]])
