"""Two layers with one weight: captures compute the same, and some store the weight twice."""

import torch
from torch import Tensor, nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(torch.relu(self.first(x)))
        return y


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
