"""A column that is changed in place: fx refuses the assignment, and ONNX has to rebuild the tensor."""

import torch
from torch import Tensor, nn

ADVICE = "put the tensor together from its parts by torch.cat"


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x.clone()
        y[:, 0] += 1
        return y


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, :1] + 1, x[:, 1:]], dim=1)


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
