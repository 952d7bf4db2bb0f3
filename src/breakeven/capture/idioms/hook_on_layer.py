"""A forward hook on a layer that changes its output: captures run it with the layer."""

import torch
from torch import Tensor, nn


def plus_one(module: nn.Module, args: tuple[Tensor], output: Tensor) -> Tensor:
    """Add 1 to a module's output."""
    return output + 1


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.linear.register_forward_hook(plus_one)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.linear(x))


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
