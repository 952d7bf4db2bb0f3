"""An input that is changed in place: the caller sees it in eager, and a graph may work on a copy."""

import torch
from torch import Tensor, nn

ADVICE = "compute a new tensor, and leave the input as it is"


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x.clamp_(min=1.0)
        return x.sum(dim=1)


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=1.0).sum(dim=1)


def example() -> Tensor:
    """Return two rows with numbers below 1."""
    return torch.arange(6.0).reshape(2, 3)
