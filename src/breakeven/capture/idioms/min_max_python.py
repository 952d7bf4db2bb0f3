"""Python's max() of two tensors: it hides a branch, and a trace keeps the tensor that the example chose."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "call torch.maximum"


class Model(nn.Module):
    """Subtract the larger of two sums."""

    def forward(self, x: Tensor) -> Tensor:
        return x - max(x[:, 0].sum(), x[:, 1].sum())


class Rewrite(nn.Module):
    """Leave the choice to an operator."""

    def forward(self, x: Tensor) -> Tensor:
        return x - torch.maximum(x[:, 0].sum(), x[:, 1].sum())


def example() -> Tensor:
    """Return a batch whose second sum is the larger; of the negated batch it is the first."""
    return torch.arange(6.0).reshape(2, 3)
