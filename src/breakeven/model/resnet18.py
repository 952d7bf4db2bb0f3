"""The old name of `breakeven.plugins.models.resnet18`."""

from breakeven.plugins.models.resnet18 import resnet18

__all__ = ["resnet18"]
