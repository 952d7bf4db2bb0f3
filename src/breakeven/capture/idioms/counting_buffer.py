"""A buffer that counts the calls: a graph without state of its own returns the same count each time."""

import torch
from torch import Tensor, nn

ADVICE = "change the buffer by copy_, from a tensor that is computed from the input"


class Model(nn.Module):
    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * self.calls


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
