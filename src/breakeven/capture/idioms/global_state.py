"""A variable of the module's file that counts the calls: a graph keeps the count of its capture."""

import torch
from torch import Tensor, nn

ADVICE = "keep the count in a buffer"

counts = {"calls": 0}


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        counts["calls"] += 1
        return x * counts["calls"]


class Rewrite(nn.Module):
    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        calls = self.calls + x.new_ones(1)
        self.calls.copy_(calls)
        return x * calls


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
