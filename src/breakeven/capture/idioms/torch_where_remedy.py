"""A choice by torch.where: the remedy for branches, which every capture records."""

import torch
from torch import Tensor, nn


class Model(nn.Module):
    """Scale positive sums up and others down, and lift negative numbers."""

    def forward(self, x: Tensor) -> Tensor:
        scaled = torch.where(x.sum() > 0, x * 2, x / 2)
        return torch.where(scaled < 0, scaled * 0.1, scaled)


def example() -> Tensor:
    """Return a batch whose sum is positive, with negative numbers."""
    return torch.linspace(-1.0, 1.5, 6).reshape(2, 3)
