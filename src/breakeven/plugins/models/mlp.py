"""A multilayer perceptron for tables."""

from typing import Annotated

from pydantic import Field, validate_call
from torch import nn

Positive = Annotated[int, Field(gt=0)]


@validate_call
def mlp(
    in_features: Positive, out_features: Positive, width: Positive = 64, depth: Positive = 2
) -> nn.Module:
    """Build `depth` hidden layers of `width` units with ReLU, and a linear layer.

    Args:
        in_features: columns of the table.
        out_features: numbers to predict, or classes.
        width: units of a hidden layer.
        depth: hidden layers.
    """
    layers: list[nn.Module] = []
    for layer in range(depth):
        layers += [nn.Linear(in_features if not layer else width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, out_features))
