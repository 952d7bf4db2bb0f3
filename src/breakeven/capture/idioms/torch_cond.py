"""A branch by torch.cond: torch.export keeps both sides, older captures know no such operator."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "compute both sides, and choose by torch.where"


class Model(nn.Module):
    """Take the sine of inputs with a positive sum, the cosine of the others."""

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = torch.cond(x.sum() > 0, lambda x: x.sin(), lambda x: x.cos(), (x,))
        return result


class Rewrite(nn.Module):
    """Compute both sides."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x.sum() > 0, x.sin(), x.cos())


def example() -> Tensor:
    """Return a batch whose sum is positive."""
    return torch.arange(6.0).reshape(2, 3)
