"""A Python number among the outputs: a trace refuses it, and file formats leave it out."""

import torch
from torch import Tensor, nn

ADVICE = "return the number as a tensor, computed by operations on the input"


class Model(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, float]:
        return x * 2, x.shape[0] * 0.5


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * 2, torch.ones_like(x[:, 0]).sum() * 0.5


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
