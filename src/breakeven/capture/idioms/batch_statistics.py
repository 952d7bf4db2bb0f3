"""A batch norm that always uses the batch's statistics: file formats have no operator for it."""

import torch
from torch import Tensor, nn

ADVICE = "compute the mean and the variance in forward"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x)
        return y


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        distance = x - x.mean(dim=0)
        variance = (distance * distance).mean(dim=0)
        return distance / torch.sqrt(variance + 1e-5) * self.weight + self.bias


def example() -> Tensor:
    """Return four rows that are not evenly spaced."""
    return torch.arange(12.0).reshape(4, 3) ** 2
