"""An exception raised on data and caught: a trace keeps whether the example raised it."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "compute the fallback too, and choose by torch.where"


class Model(nn.Module):
    """Take the root of the input, or its absolute value where it has none."""

    def root(self, x: Tensor) -> Tensor:
        if x.min() < 0:
            raise ValueError("a negative number has no root")
        return x.sqrt()

    def forward(self, x: Tensor) -> Tensor:
        try:
            return self.root(x)
        except ValueError:
            return x.abs()


class Rewrite(nn.Module):
    """Choose by a condition that stays a tensor."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x.min() < 0, x.abs(), x.sqrt())


def example() -> Tensor:
    """Return a batch without negative numbers."""
    return torch.arange(6.0).reshape(2, 3)
