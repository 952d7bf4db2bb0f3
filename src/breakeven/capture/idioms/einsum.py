"""Products written by the letters of their dimensions: captures translate the letters to matrix products."""

import torch
from torch import Tensor, nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(3, 3)
        self.key = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        query, key = self.query(x), self.key(x)
        scores = torch.einsum("bqd,bkd->bqk", query, key)
        return torch.einsum("bqk,bkd->bqd", scores.softmax(dim=-1), x)


def example() -> Tensor:
    """Return two sequences of four steps."""
    return torch.linspace(-1, 1, 24).reshape(2, 4, 3)
