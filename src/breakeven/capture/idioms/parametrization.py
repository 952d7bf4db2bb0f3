"""A weight that is computed from other parameters when it is read: TorchScript refuses the property."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

ADVICE = "compute the weight in forward, or remove the parametrization before the capture"


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = weight_norm(nn.Linear(3, 2))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x)
        return y


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        linear = nn.Linear(3, 2)
        self.bias = linear.bias
        self.length = nn.Parameter(linear.weight.detach().norm(dim=1, keepdim=True))
        self.direction = linear.weight

    def forward(self, x: Tensor) -> Tensor:
        norm = self.direction.square().sum(dim=1, keepdim=True).sqrt()
        return F.linear(x, self.direction * (self.length / norm), self.bias)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
