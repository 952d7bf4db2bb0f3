"""A list that grows by one tensor a step, stacked at the end: captures unroll the loop."""

import torch
from torch import Tensor, nn

ADVICE = "loop over a number of steps that the model knows, not the input"


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros_like(x[:, 0])
        states: list[Tensor] = []
        for step in range(x.shape[1]):
            state = torch.tanh(x[:, step] + state)
            states.append(state)
        return torch.stack(states, dim=1)


class Rewrite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.steps = 4

    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros_like(x[:, 0])
        states: list[Tensor] = []
        for step in range(self.steps):
            state = torch.tanh(x[:, step] + state)
            states.append(state)
        return torch.stack(states, dim=1)


def example() -> Tensor:
    """Return two sequences of four steps."""
    return torch.linspace(-1, 1, 24).reshape(2, 4, 3)
