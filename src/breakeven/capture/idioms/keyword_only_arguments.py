"""Arguments that have to be named: a capture by position cannot call the model."""

import torch
from torch import Tensor, nn

ADVICE = "take the arguments by position as well"


class Model(nn.Module):
    def forward(self, x: Tensor, *, scale: Tensor, shift: Tensor) -> Tensor:
        return x * scale - shift


class Rewrite(nn.Module):
    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return x * scale - shift


def example() -> dict[str, Tensor]:
    """Return two rows, and the arguments in another order than the signature's."""
    rows = torch.arange(6.0).reshape(2, 3)
    return {"x": rows, "shift": torch.tensor([1.0, 2.0, 3.0]), "scale": torch.full((3,), 2.0)}
