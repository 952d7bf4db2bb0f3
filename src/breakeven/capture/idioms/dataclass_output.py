"""An output of a class that torch does not know: only Dynamo and fx build it from their graph's tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

ADVICE = "return a tuple"


@dataclass
class Moments:
    """What the model returns."""

    total: Tensor
    mean: Tensor


class Model(nn.Module):
    def forward(self, x: Tensor) -> Moments:
        return Moments(x.sum(dim=1), x.mean(dim=1))


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.sum(dim=1), x.mean(dim=1)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
