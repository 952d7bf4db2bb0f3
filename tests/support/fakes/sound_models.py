"""Models that are written in a way that tools often refuse, and PyTorch accepts."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from fakes.broken_models import Net


class SilentTrain(Net):
    """Its `train` returns nothing."""

    def train(self, mode: bool = True) -> None:  # type: ignore[override]
        super().train(mode)
        self.net.eval()


class Lazy(nn.Module):
    """Its layers take their sizes from the first call."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LazyConv2d(8, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(num_classes)
        )

    def forward(self, x: Tensor) -> Any:
        return self.net(x)


class ByKeyword(Net):
    """Calls its layers by keyword."""

    def forward(self, x: Tensor) -> Any:
        found = self.net[1](self.net[0](input=x)).mean((2, 3))
        return self.head(input=found)


class VariableArguments(Net):
    """Takes and passes any arguments."""

    def forward(self, *inputs: Tensor, **named: Any) -> Any:
        return super().forward(*inputs, **named)


class Hooked(Net):
    """Scales its features by a hook."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.net.register_forward_hook(lambda layer, inputs, output: 2 * output)


class TupleWhileTrained(Net):
    """Also gives auxiliary logits while it is trained."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.auxiliary = nn.Linear(8, num_classes)

    def forward(self, x: Tensor) -> Any:
        found = self.features(x)
        return (self.head(found), self.auxiliary(found)) if self.training else self.head(found)


class Pool(nn.Module):
    """Attention of a query."""

    def forward(self, query: Tensor, x: Tensor) -> Tensor:
        return torch.softmax(query @ x, -1) @ x.transpose(1, 2)


class Queried(Net):
    """Hands a parameter to a layer."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.pool, self.query = Pool(), nn.Parameter(torch.zeros(1, 1, 8))

    def features(self, x: Tensor) -> Tensor:
        return self.pool(self.query.expand(len(x), -1, -1), self.net(x).flatten(2)).flatten(1)  # type: ignore[no-any-return]


class LazyWhileTrained(Net):
    """Has a lazy layer that only training calls."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.auxiliary = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

    def forward(self, x: Tensor) -> Any:
        logits = super().forward(x)
        return (logits, self.auxiliary(x)) if self.training else logits


class ComputedByHook(Net):
    """Computes the weight of its first layer from two others, when it is constructed and at every call."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torch, about the older of its two ways
            nn.utils.weight_norm(self.net[0])
