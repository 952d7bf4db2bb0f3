"""Integers and Python's numbers in one expression: captures find the same types as torch."""

import torch
from torch import Tensor, nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        whole = x * 2  # stays an integer
        half = (x > 3) * 0.5  # a truth value and a number: floating
        y: Tensor = self.scale * (whole + half)
        return y


def example() -> Tensor:
    """Return two rows of small integers."""
    return torch.arange(6, dtype=torch.int32).reshape(2, 3)
