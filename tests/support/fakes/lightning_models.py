"""A model of Lightning's, apart from the others because its import takes seconds in each process."""

from typing import Any

from lightning.pytorch import LightningModule
from torch import Tensor

from fakes.broken_models import Net


class Lit(LightningModule):
    """A LightningModule, as users train it elsewhere."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = Net(in_channels, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.net(x)

    def training_step(self, batch: Any, index: int) -> Any:
        raise AssertionError("Breakeven trains it its own way")
