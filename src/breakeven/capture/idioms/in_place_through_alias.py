"""A view with a name of its own that is changed in place: fx and the trace for ONNX lose the change."""

import torch
from torch import Tensor, nn

ADVICE = "put the tensor together from its parts by torch.cat"


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x * 2
        first = y[:, 0]
        first += 1
        return y


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x * 2
        return torch.cat([y[:, :1] + 1, y[:, 1:]], dim=1)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
