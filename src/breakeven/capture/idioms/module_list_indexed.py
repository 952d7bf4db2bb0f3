"""Layers found by a counter: TorchScript wants to know each layer before it runs."""

import torch
from torch import Tensor, nn

ADVICE = "loop over the layers themselves"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for number in range(len(self.layers)):
            x = torch.relu(self.layers[number](x))
        return x


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
