"""A division by the length of the batch: a trace keeps the length of the example."""

import torch
from torch import Tensor, nn

ADVICE = "write x.shape[0] in the place of len(x)"


class Model(nn.Module):
    """Take the mean of the samples."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0) / len(x)


class Rewrite(nn.Module):
    """Ask for the shape, which captures record."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0) / x.shape[0]


def example() -> Tensor:
    """Return a batch of 2 samples."""
    return torch.arange(6.0).reshape(2, 3)
