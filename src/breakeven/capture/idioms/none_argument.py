"""An optional argument that is left out: fx takes its stand-in for a tensor, and follows that path."""

import torch
from torch import Tensor, nn

ADVICE = "make a second model for calls without the argument"


class Model(nn.Module):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            x = x * mask
        return x + 1


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1


def example() -> Tensor:
    """Return two rows, and no mask."""
    return torch.arange(6.0).reshape(2, 3)
