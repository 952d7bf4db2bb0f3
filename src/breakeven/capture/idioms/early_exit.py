"""A forward that ends early where its first head is sure: a trace does so for all inputs or for none."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "compute both heads, and choose by torch.where"


class Model(nn.Module):
    """Skip the second layer where the first head is sure of its batch."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.first_head = nn.Linear(4, 4), nn.Linear(4, 3)
        self.late_body, self.last_head = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(x).relu()
        early: Tensor = self.first_head(features)
        if early.softmax(1).amax(1).mean() > 0.6:
            return early
        late: Tensor = self.last_head(self.late_body(features).relu())
        return late


class Rewrite(Model):
    """Compute both heads for all inputs."""

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(x).relu()
        early = self.first_head(features)
        late = self.last_head(self.late_body(features).relu())
        return torch.where(early.softmax(1).amax(1).mean() > 0.6, early, late)


def example() -> Tensor:
    """Return a batch that the first head is not sure of; of its triple it is."""
    return torch.linspace(-4.0, 4.0, 8).reshape(2, 4)
