"""Dropout without self.training: it is random in evaluation too, before and after any capture."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ADVICE = "pass self.training to F.dropout"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.linear(x), 0.5)


class Rewrite(nn.Module):
    """What the model was meant to be: the same without its randomness."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.linear(x), 0.5, self.training)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
