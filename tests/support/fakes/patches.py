"""Models that take only images of some sizes."""

from typing import Annotated

from pydantic import Field, validate_call
from torch import nn


def patches(in_channels: int, height: int, patch: int) -> nn.Module:
    """Refuse any other height."""
    if height % patch:
        raise ValueError(f"images of {height} pixels are no whole patches of {patch}")
    return nn.Sequential(nn.Conv2d(in_channels, 8, patch, patch), nn.Flatten(), nn.LazyLinear(10))


@validate_call
def checked(in_channels: int, height: Annotated[int, Field(multiple_of=7)], patch: int) -> nn.Module:
    """Refuse any other height by pydantic."""
    return nn.Sequential(nn.Conv2d(in_channels, 8, patch), nn.Flatten(), nn.LazyLinear(10))


def large(patch: int) -> nn.Module:
    """Refuse small images when it is called."""
    return nn.Sequential(nn.LazyConv2d(8, patch), nn.Flatten(), nn.LazyLinear(10))
