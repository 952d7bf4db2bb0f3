"""torchvision's ResNet-18 (He et al., arXiv:1512.03385, 2016) of any width, with a stem for small images."""

from typing import Annotated, Any, Literal

from pydantic import Field, validate_call
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet


@validate_call
def resnet18(
    in_channels: Annotated[int, Field(gt=0)],
    num_classes: Annotated[int, Field(gt=0)],
    stem: Literal["imagenet", "cifar", "cifar_pool"] = "cifar_pool",
    width: Annotated[int, Field(gt=0, strict=True)] = 64,
) -> nn.Module:
    """Build a ResNet-18.

    Args:
        in_channels: channels of the images.
        num_classes: outputs.
        stem: "imagenet" is the original (7x7, stride 2, max-pool); "cifar" is a 3x3 convolution that keeps
            the size; "cifar_pool" is a 3x3 convolution with the max-pool, which costs a quarter of "cifar".
        width: channels of the first stage; each later stage has twice as many as the one before.
    """
    return _Wide(in_channels, num_classes, stem, width)


class _Wide(ResNet):  # type: ignore[misc]  # torchvision has no types
    def __init__(self, in_channels: int, num_classes: int, stem: str, width: int) -> None:
        self.width = width
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=num_classes)
        first = self._scale(64)
        small = stem != "imagenet"
        kernel, stride, padding = (3, 1, 1) if small else (7, 2, 3)
        self.conv1 = nn.Conv2d(in_channels, first, kernel, stride, padding, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.bn1 = nn.BatchNorm2d(first)
        if stem == "cifar":
            self.maxpool = nn.Identity()
        self.fc = nn.Linear(self._scale(512), num_classes)

    def _scale(self, channels: int) -> int:
        return channels // 64 * self.width

    def _make_layer(self, block: Any, planes: int, *args: Any, **kwargs: Any) -> nn.Sequential:
        if planes == 64:  # the first stage's input is the stem's output
            self.inplanes = self._scale(64)
        layer: nn.Sequential = super()._make_layer(block, self._scale(planes), *args, **kwargs)
        return layer
