"""The old name of `breakeven.plugins.models.transformer`."""

from breakeven.plugins.models.transformer import transformer

__all__ = ["transformer"]
