"""A generator that the forward consumes: torch.jit.script knows no yield."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

ADVICE = "write a loop that appends to a list"


class Model(nn.Module):
    """Add up the parts that a generator yields."""

    def parts(self, x: Tensor) -> Iterator[Tensor]:
        for power in range(1, 4):
            yield x**power

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([part.tanh() for part in self.parts(x)]).sum(0)


class Rewrite(nn.Module):
    """Collect the parts in a list."""

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for power in range(1, 4):
            parts.append((x**power).tanh())
        return torch.stack(parts).sum(0)


def example() -> Tensor:
    """Return a batch of 2 samples."""
    return torch.linspace(-1.0, 1.5, 6).reshape(2, 3)
