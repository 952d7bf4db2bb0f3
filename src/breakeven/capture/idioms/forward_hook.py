"""A forward hook on the model that changes its output: fx leaves it out, Dynamo makes a graph of it."""

import torch
from torch import Tensor, nn

ADVICE = "call the function in forward"


def plus_one(module: nn.Module, args: tuple[Tensor], output: Tensor) -> Tensor:
    """Add 1 to a module's output."""
    return output + 1


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_forward_hook(plus_one)

    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 + 1


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
