"""Noise that is drawn at each call: no two calls agree, so no capture can be checked."""

import torch
from torch import Tensor, nn

ADVICE = "take the noise as an argument"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x + torch.rand_like(x))
        return y


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
