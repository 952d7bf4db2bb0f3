"""A loop whose number of turns is a value of the input: a trace keeps the turns that the example took."""

from typing import Final

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "take the most turns always, and drop the effect of the late ones by torch.where"


class Model(nn.Module):
    """Take a turn for each whole number up to the largest value, and at most 6."""

    most: Final[int] = 6

    def forward(self, x: Tensor) -> Tensor:
        turns = min(int(x.abs().max().item()), self.most)
        for _ in range(turns):
            x = x * 0.5 + 1
        return x


class Rewrite(nn.Module):
    """Take all 6 turns, and keep what the first of them make."""

    most: Final[int] = 6

    def forward(self, x: Tensor) -> Tensor:
        turns = x.abs().max().floor()
        for turn in range(self.most):
            x = torch.where(turns > turn, x * 0.5 + 1, x)
        return x


def example() -> Tensor:
    """Return a batch whose largest value is 1.5: one turn, and 4 for its triple."""
    return torch.linspace(-1.0, 1.5, 6).reshape(2, 3)
