"""A setting in a variable of the module's file: a graph keeps its value, and TorchScript refuses it."""

from typing import Any

import torch
from torch import Tensor, nn

ADVICE = "keep the setting in an attribute of the model"

settings: dict[str, Any] = {"activation": "relu", "scale": 2.0}


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(x) if settings["activation"] == "relu" else torch.tanh(x)
        return y * float(settings["scale"])


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.activation, self.scale = "relu", 2.0

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(x) if self.activation == "relu" else torch.tanh(x)
        return y * self.scale


def example() -> Tensor:
    """Return two rows, with numbers of both signs."""
    return torch.arange(6.0).reshape(2, 3) - 2
