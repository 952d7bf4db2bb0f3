"""A detour through NumPy: a trace cannot see it, and keeps the numbers of the example."""

import numpy as np
import torch
from torch import Tensor, nn

ADVICE = "use torch's function of the same name"


class Model(nn.Module):
    """Scale what NumPy computes."""

    def forward(self, x: Tensor) -> Tensor:
        array = np.tanh(x.numpy())
        return torch.from_numpy(array) * 2


class Rewrite(nn.Module):
    """The same, by torch alone."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x) * 2


def example() -> Tensor:
    """Return a batch of negative and positive numbers."""
    return torch.linspace(-1.0, 1.5, 6).reshape(2, 3)
