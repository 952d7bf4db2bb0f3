"""A hidden state kept from call to call in a buffer that forward replaces: a trace keeps the first one."""

import torch
from torch import Tensor, nn

ADVICE = "change the buffer by copy_, or take the state as an argument and return it"


class Model(nn.Module):
    hidden: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNNCell(3, 4)
        self.register_buffer("hidden", torch.zeros(2, 4))

    def forward(self, x: Tensor) -> Tensor:
        self.hidden = self.cell(x, self.hidden)
        return self.hidden * 2


class Rewrite(nn.Module):
    hidden: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNNCell(3, 4)
        self.register_buffer("hidden", torch.zeros(2, 4))

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.cell(x, self.hidden)
        self.hidden.copy_(hidden)
        return hidden * 2


def example() -> Tensor:
    """Return two rows, as many as the hidden state has."""
    return torch.arange(6.0).reshape(2, 3) / 6
