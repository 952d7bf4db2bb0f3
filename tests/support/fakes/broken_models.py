"""Models that break a promise: each would be measured wrongly, or would fail after its training."""

import json
import random
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Net(nn.Module):
    """A sound model, which the others spoil."""

    def __init__(self, in_channels: int = 1, num_classes: int = 2, width: int = 8) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """Return (N, width)."""
        return self.net(x).mean((2, 3))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Any:
        """Return the logits."""
        return self.head(self.features(x))


class DropsItsDimension(Net):
    """One image loses its dimension."""

    def forward(self, x: Tensor) -> Any:
        return self.head(F.adaptive_avg_pool2d(self.net(x), 1).squeeze())


class OwnDropout(Net):
    """Random in evaluation mode."""

    def forward(self, x: Tensor) -> Any:
        return self.head(F.dropout(self.features(x), 0.2))


class RarelyRandom(Net):
    """Random in one of ten calls, by Python's generator."""

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x)) * (2 if random.random() < 0.1 else 1)


class RandomByNumpy(Net):
    """Adds a little noise of a generator of its own."""

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.draw = np.random.default_rng(0)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x)) + 1e-3 * float(self.draw.normal())


class StateInNoStateDict(Net):
    """Subtracts a mean that it keeps as a plain tensor."""

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.offset = torch.zeros(8)

    def forward(self, x: Tensor) -> Any:
        found = self.features(x)
        if self.training:
            self.offset = 0.9 * self.offset + 0.1 * found.detach().mean(0)
        return self.head(10 * (found - self.offset))


class PlainNumber(Net):
    """Its scale is a number of Python's, which training moves."""

    scale = 1.0

    def forward(self, x: Tensor) -> Any:
        if self.training:
            self.scale *= 0.9
        return self.head(self.features(x) * self.scale)


class LostBuffer(Net):
    """Its buffer is not persistent."""

    seen: Tensor

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.register_buffer("seen", torch.zeros(8), persistent=False)

    def forward(self, x: Tensor) -> Any:
        found = self.features(x)
        if self.training:
            self.seen += found.detach().mean(0)
        return self.head(found - self.seen)


class DrawnInTheConstructor(Net):
    """Projects by a matrix that each constructor draws anew."""

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.matrix = torch.randn(8, 8)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x) @ self.matrix)


class LayersInAList(Net):
    """Keeps layers in a list, where torch does not find them."""

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.layers = [nn.Linear(8, 8)]

    def forward(self, x: Tensor) -> Any:
        return self.head(self.layers[0](self.features(x)))


class ExtraState(Net):
    """Keeps extra state that is no tensor."""

    def get_extra_state(self) -> dict[str, int]:
        return {"calls": 1}

    def set_extra_state(self, state: dict[str, int]) -> None:
        pass


class CentresTheBatch(Net):
    """Subtracts the mean of the batch."""

    def forward(self, x: Tensor) -> Any:
        found = self.features(x)
        return self.head(found - found.mean(0))


class NormalizesTheBatch(Net):
    """Has a batch normalization without running statistics."""

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.norm = nn.BatchNorm1d(8, track_running_stats=False)

    def forward(self, x: Tensor) -> Any:
        found = self.features(x)
        return self.head(self.norm(found) if len(found) > 1 else found)


class RemembersCalls(Net):
    """Mixes the images of the last call into this one's, in evaluation mode too."""

    last: Tensor | float = 0.0

    def forward(self, x: Tensor) -> Any:
        found = self.features(x)
        mixed, self.last = found + 0.1 * self.last, found.detach().mean(0)
        return self.head(mixed)


class WritesIntoItsInput(Net):
    """Normalizes in place."""

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x.sub_(0.5).mul_(4)))


class SetsThreadsInForward(Net):
    """Takes as many threads as it likes, in each call."""

    def forward(self, x: Tensor) -> Any:
        torch.set_num_threads(torch.get_num_threads() % 2 + 1)
        return self.head(self.features(x))


class NoGradient(Net):
    """Its logits have no gradient."""

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x)).detach()


def needs_a_network(in_channels: int, num_classes: int, address: str) -> nn.Module:
    """Fetch something in the constructor."""
    urllib.request.urlopen(address, timeout=5).read()
    return Net(in_channels, num_classes)


def kept_by_torch_hub(in_channels: int, num_classes: int, address: str) -> nn.Module:
    """Fetch something in the constructor, once on a machine."""
    kept = Path(torch.hub.get_dir()) / "net.txt"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(urllib.request.urlopen(address, timeout=5).read())
    return Net(in_channels, num_classes)


def sized_by_a_file(in_channels: int, num_classes: int, path: str) -> nn.Module:
    """Read its width from a file that is no module."""
    (width,) = json.loads(Path(path).read_text(encoding="utf-8"))
    return Net(in_channels, num_classes, width)


class NormalizedFeatures(Net):
    """Cannot be trained with one image at a time."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.norm(self.features(x)))


class KeepsTheLastResult(Net):
    """Computes nothing when it gets what it got before: its timing would be that of a comparison."""

    seen: Tensor | None = None
    result: Tensor | None = None

    def forward(self, x: Tensor) -> Any:
        if self.training:
            return self.head(self.features(x))
        if self.seen is None or self.seen.shape != x.shape or not torch.equal(self.seen, x):
            self.__dict__.update(seen=x.clone(), result=self.head(self.features(x)))
        return self.result


class RandomByItself(Net):
    """Random in one of ten calls, by a generator of its own."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.draw = np.random.default_rng(0)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x)) * (2 if self.draw.random() < 0.1 else 1)


def pretrained(in_channels: int, num_classes: int, address: str, pretrained: bool = False) -> nn.Module:
    """Fetch only if asked to, as timm does."""
    if pretrained:
        urllib.request.urlopen(address, timeout=5).read()
    return Net(in_channels, num_classes)
