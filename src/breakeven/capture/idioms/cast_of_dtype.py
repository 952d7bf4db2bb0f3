"""Numbers cut to integers and added: a capture has to cut negative numbers to zero too, not down."""

import torch
from torch import Tensor, nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.linear(x) * 2
        whole = y.to(torch.int64)
        return whole.sum(dim=1), y - whole


def example() -> Tensor:
    """Return two rows with fractions, of both signs."""
    return torch.arange(6.0).reshape(2, 3) * 0.7 - 1.6
