"""A function made in forward that uses a local tensor: TorchScript knows no nested functions."""

import torch
from torch import Tensor, nn

ADVICE = "pass the tensor to a function of the module"


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        center = x.mean(dim=0)

        def centered(y: Tensor) -> Tensor:
            return y - center

        return centered(x) * centered(x + 1)


def centered(y: Tensor, center: Tensor) -> Tensor:
    """Return the distance from a center."""
    return y - center


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        center = x.mean(dim=0)
        return centered(x, center) * centered(x + 1, center)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
