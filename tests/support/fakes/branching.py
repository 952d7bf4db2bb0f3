"""A model whose code depends on what it sees."""

from torch import Tensor, nn


class Branching(nn.Module):
    """Takes one of two ways."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.one, self.other = (nn.Linear(in_channels, num_classes) for _ in range(2))

    def forward(self, images: Tensor) -> Tensor:
        means = images.mean((2, 3))
        logits: Tensor = self.one(means) if means.sum() > 0 else -self.other(means)
        return logits
