"""An input that may be a tensor or a list of them: torch.fx's stand-in is neither."""

import torch
from torch import Tensor, nn

ADVICE = "take one type of input, and convert the other before the model"


class Model(nn.Module):
    """Stack a list, and take the mean over the samples."""

    def forward(self, x: Tensor | list[Tensor]) -> Tensor:
        if isinstance(x, list):
            x = torch.stack(x)
        return x.mean(0) * 2


class Rewrite(nn.Module):
    """Take lists only."""

    def forward(self, x: list[Tensor]) -> Tensor:
        return torch.stack(x).mean(0) * 2


def example() -> tuple[list[Tensor]]:
    """Return a list of two tensors."""
    return ([torch.arange(3.0), torch.arange(3.0) - 2],)
