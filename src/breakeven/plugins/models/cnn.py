"""A plain convolutional network that scales from thousands to millions of parameters."""

from typing import Annotated

import torch
from pydantic import Field, validate_call
from torch import nn

Positive = Annotated[int, Field(gt=0)]


@validate_call
def cnn(in_channels: Positive, num_classes: Positive, width: Positive = 16, depth: Positive = 2) -> nn.Module:
    """Build three stages of `depth` 3x3 convolutions with `width`, 2 and 4 times `width` channels.

    It has about 279 * width**2 parameters at depth 2: 4.8 thousand at width 4, 71 thousand at 16, 5 million
    at 134.

    Args:
        in_channels: channels of the images.
        num_classes: outputs.
        width: channels of the first stage.
        depth: convolutions in a stage.
    """
    layers: list[nn.Module] = []
    channels = in_channels
    for stage in range(3):
        for block in range(depth):
            # Each stage but the first begins by halving the image, which also halves the work.
            stride = 2 if stage and not block else 1
            layers.append(_block(channels, channels := width * 2**stage, stride))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


def _block(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    assert isinstance(convolution.weight, torch.Tensor)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))
