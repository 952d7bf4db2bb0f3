"""A model whose source does what inference scripts often do when they are imported."""

import torch
from torch import nn

from fakes.broken_models import Net

torch.set_num_threads(torch.get_num_threads() + 3)


class Threaded(Net):
    """Also computes in another type by default, from its construction on."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        torch.set_default_dtype(torch.float64)
        self.last = nn.Identity()
