"""A function with a gradient of its own: TorchScript refuses it, other captures keep its forward part."""

from typing import Any

import torch
from torch import Tensor, nn

ADVICE = "detach what shall have no gradient"


class Round(torch.autograd.Function):
    """Round, and let the gradient through."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Round."""
        return x.round()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient as it comes."""
        return gradient


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = Round.apply(x * 0.7)
        return y + 1


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x * 0.7
        return y + (y.round() - y).detach() + 1


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
