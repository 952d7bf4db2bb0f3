"""A number looked up by a text of the shape: torch.fx's stand-in has another text, and gets the default."""

import torch
from torch import Tensor, nn

ADVICE = "look the number up when you construct the model"
SCALES = {"2x4": 0.5, "4x4": 0.25}


class Model(nn.Module):
    """Scale the input by a number for its height and width."""

    def __init__(self) -> None:
        super().__init__()
        self.scales = dict(SCALES)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scales.get(f"{x.shape[1]}x{x.shape[2]}", 1.0)


class Rewrite(nn.Module):
    """Know the number from the start."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = SCALES["2x4"]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def example() -> Tensor:
    """Return a batch of 2 samples of 2 x 4."""
    return torch.arange(16.0).reshape(2, 2, 4)
