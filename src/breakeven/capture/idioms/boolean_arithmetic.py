"""Python's True in arithmetic: torch adds 1, and a trace fails on its own record of it."""

import torch
from torch import Tensor, nn

ADVICE = "convert the truth value to a number"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.is_shifted = True

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) + self.is_shifted


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shift = int(True)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) + self.shift


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
