"""Any number of tensors as arguments: captures fix how many, or do not know the arguments' names."""

import torch
from torch import Tensor, nn

ADVICE = "name each argument"


class Model(nn.Module):
    def forward(self, *tensors: Tensor) -> Tensor:
        total = tensors[0]
        for tensor in tensors[1:]:
            total = total * 2 + tensor
        return total


class Rewrite(nn.Module):
    def forward(self, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
        return (first * 2 + second) * 2 + third


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Return three batches."""
    first = torch.arange(6.0).reshape(2, 3)
    return first, first + 1, first * 5
