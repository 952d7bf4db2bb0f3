"""A slice whose end is a value of the input: a trace keeps the end that the example had."""

import torch
from torch import Tensor, nn

ADVICE = "compare torch.arange with the value, and mask the rows"


class Model(nn.Module):
    """Add up as many samples as the first number says."""

    def forward(self, x: Tensor) -> Tensor:
        return x[: int(x[0, 0].abs())].sum(0)


class Rewrite(nn.Module):
    """Add up all samples, the late ones as zeros."""

    def forward(self, x: Tensor) -> Tensor:
        rows = torch.arange(x.shape[0], device=x.device)
        is_early = rows < x[0, 0].abs().floor()
        return torch.where(is_early.unsqueeze(1), x, 0.0).sum(0)


def example() -> Tensor:
    """Return 4 samples, of which the first number takes one; that of the triple takes 3."""
    return torch.arange(1.0, 13.0).reshape(4, 3)
