"""A small network that gives each pixel a class."""

from typing import Annotated

from pydantic import Field, validate_call
from torch import nn

Positive = Annotated[int, Field(gt=0)]


@validate_call
def segmenter(in_channels: Positive, num_classes: Positive, width: Positive = 16) -> nn.Module:
    """Build an encoder that halves the image twice, and a decoder that brings it back to full size.

    Args:
        in_channels: channels of the images.
        num_classes: classes of a pixel.
        width: channels at full size.
    """

    def block(channels: int, out: int, stride: int = 1) -> nn.Sequential:
        convolution = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))

    def upsample() -> nn.Module:
        return nn.Upsample(scale_factor=2, mode="nearest")

    return nn.Sequential(
        *(block(in_channels, width), block(width, 2 * width, 2), block(2 * width, 4 * width, 2)),
        *(block(4 * width, 4 * width), upsample(), block(4 * width, 2 * width)),
        *(upsample(), block(2 * width, width), nn.Conv2d(width, num_classes, 1)),
    )
