"""A view by a size that int() made a number: a trace keeps it, and mixes the samples of other batches."""

import torch
from torch import Tensor, nn

ADVICE = "pass x.shape[0] on as it is, or call flatten(1)"


class Model(nn.Module):
    """Flatten each sample, and scale it."""

    def forward(self, x: Tensor) -> Tensor:
        batch = int(x.shape[0])
        return x.view(batch, -1) * 2


class Rewrite(nn.Module):
    """Leave the size to the operator."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) * 2


def example() -> Tensor:
    """Return a batch of 2 samples of 3 x 4."""
    return torch.arange(24.0).reshape(2, 3, 4)
