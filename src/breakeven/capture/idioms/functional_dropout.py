"""Dropout that follows self.training: in evaluation it does nothing, and every capture leaves it out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.linear(x))
        return F.dropout(y, 0.5, self.training)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
