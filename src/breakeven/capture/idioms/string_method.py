"""Methods found by names that the code puts together: TorchScript cannot know which they are."""

import torch
from torch import Tensor, nn

ADVICE = "call the methods by their names"


class Steps(nn.Module):
    """Two steps."""

    def step_0(self, x: Tensor) -> Tensor:
        return x * 2

    def step_1(self, x: Tensor) -> Tensor:
        return torch.relu(x - 1)


class Model(Steps):
    def forward(self, x: Tensor) -> Tensor:
        for number in range(2):
            x = getattr(self, f"step_{number}")(x)
        return x


class Rewrite(Steps):
    def forward(self, x: Tensor) -> Tensor:
        return self.step_1(self.step_0(x))


def example() -> Tensor:
    """Return two rows."""
    return torch.arange(6.0).reshape(2, 3)
