"""A method that calls itself until a shape is small: a trace keeps the depth of the example."""

import torch
from torch import Tensor, nn

ADVICE = "use an operator that reduces the whole dimension"


class Model(nn.Module):
    """Add up the samples, half by half."""

    def total(self, x: Tensor) -> Tensor:
        if x.shape[0] < 2:
            return x[0]
        half = x.shape[0] // 2
        return self.total(x[:half]) + self.total(x[half:])

    def forward(self, x: Tensor) -> Tensor:
        return self.total(x)


class Rewrite(nn.Module):
    """Add them up at once."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0)


def example() -> Tensor:
    """Return a batch of 3 samples."""
    return torch.arange(12.0).reshape(3, 4)
