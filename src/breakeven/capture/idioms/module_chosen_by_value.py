"""A layer chosen by a number from the input: a trace keeps the layer that the example chose."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "call every layer, and choose among the results by torch.where"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers[int(x.sum()) % 2](x)
        return y


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        chosen = x.sum().to(torch.int64) % 2
        return torch.where(chosen == 0, self.layers[0](x), self.layers[1](x))


def example() -> Tensor:
    """Return a batch with an odd sum."""
    return torch.arange(6.0).reshape(2, 3)
