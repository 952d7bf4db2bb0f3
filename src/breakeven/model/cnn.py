"""The old name of `breakeven.plugins.models.cnn`."""

from breakeven.plugins.models.cnn import cnn

__all__ = ["cnn"]
