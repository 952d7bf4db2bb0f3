"""Models of many operators that compute next to nothing: what remains of their time is the calling."""

import torch
from torch import Tensor, nn

FEATURES = 4  # numbers in an input


class Softmax(nn.Module):
    """A chain of operators with one input each. No runtime fuses two of them."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 4)."""
        for _ in range(self.length):
            x = torch.softmax(x, 1)
        return x


class Where(nn.Module):
    """A chain of operators with three inputs each, since some profilers take longer for each input."""

    mask: Tensor

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        self.register_buffer("mask", torch.tensor([True, False, True, True]))
        self.other = nn.Parameter(torch.ones(FEATURES))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 4)."""
        for _ in range(self.length):
            x = torch.where(self.mask, x, self.other)
        return x


class Modules(nn.Sequential):
    """A chain of modules that do nothing."""

    def __init__(self, length: int) -> None:
        super().__init__(*[nn.Identity() for _ in range(length)])
