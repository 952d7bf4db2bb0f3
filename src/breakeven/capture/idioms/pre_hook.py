"""A hook before forward that changes the model's input: fx leaves it out, Dynamo makes a graph of it."""

import torch
from torch import Tensor, nn

ADVICE = "change the input in forward"


def halved(module: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
    """Halve a module's input."""
    return (args[0] / 2,)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_forward_pre_hook(halved)

    def forward(self, x: Tensor) -> Tensor:
        return x + 1


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / 2 + 1


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
