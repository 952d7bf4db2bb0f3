"""Models that PyTorch runs and some toolchains cannot take."""

from typing import Any

import torch
from torch import Tensor, nn

# Model, runtime that cannot take it, and what the reason has to name
ODD = [
    ("Generated", "torchscript_scripted", "(at Generated.forward)"),
    ("StraightThrough", "torchscript_frozen", "'Sign'"),
    ("DataDependent", "onnxruntime", "torch.onnx cannot export this model"),
    ("Fourier", "executorch", "aten.abs"),
]
# The same with toolchains for int8
ODD_INT8 = [
    ("GroupedTransposed", "onnxruntime_static", "(at DequantizeLinear)"),
    ("WeightNorm", "torch_compile_static", "weight_norm"),
]


class Plain(nn.Module):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.net, self.head = self.layer(in_channels), nn.Linear(16, num_classes)

    def layer(self, channels: int) -> nn.Module:
        return nn.Conv2d(channels, 16, 3)

    def features(self, x: Tensor) -> Tensor:
        maps: Tensor = self.net(x)
        return maps.relu().mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


class Cached(Plain):
    """Keeps a tensor of its first call, which must not be one of inference mode when it is exported."""

    grid: Tensor | None = None

    def features(self, x: Tensor) -> Tensor:
        maps = self.net(x)
        if self.grid is None:
            self.grid = torch.linspace(0, 1, maps.shape[3])
        features: Tensor = (maps * self.grid).mean((2, 3))
        return features


class SizeOfTheTrace(Plain):
    """Divides by the number of pixels as an integer of Python, which a trace makes a constant."""

    def features(self, x: Tensor) -> Tensor:
        maps: Tensor = self.net(x)
        return maps.sum((2, 3)) / int(maps.shape[2] * maps.shape[3])


class InFours(Plain):
    """Halves height and width twice and doubles them again, so that both have to be multiples of four."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        small = nn.functional.avg_pool2d(nn.functional.avg_pool2d(x, 2), 2)
        maps = x + nn.functional.interpolate(small, scale_factor=4.0)
        return self.head(maps.mean((2, 3)).expand(-1, 16)), maps


class WeightNorm(Plain):
    def layer(self, channels: int) -> nn.Module:
        return torch.nn.utils.weight_norm(super().layer(channels))


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.sign()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


class StraightThrough(Plain):
    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(Sign.apply(self.features(x)))
        return logits


class Fourier(Plain):
    def features(self, x: Tensor) -> Tensor:
        features: Tensor = torch.fft.rfft2(self.net(x)).abs().mean((2, 3))
        return features


class GroupedTransposed(Plain):
    def layer(self, channels: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(channels, 8, 3), nn.ConvTranspose2d(8, 16, 2, groups=2))


class DataDependent(Plain):
    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        logits: Tensor = self.head(features if features.sum() > 0 else -features)
        return logits


class Textured(Plain):
    """Takes another path for images of one colour; a test set may have none."""

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        if x.amax() - x.amin() < 1e-6:
            features = -features
        logits: Tensor = self.head(features)
        return logits


SCOPE: dict[str, Any] = {}
exec("def forward(self, x):\n    return self.head(self.features(x))\n", SCOPE)


class Generated(Plain):
    """Its forward has no source to read."""

    forward = SCOPE["forward"]


Generated.forward.__qualname__ = "Generated.forward"
