"""Distillation (Hinton et al., arXiv:1503.02531, 2015) to a smaller model of the same architecture."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from breakeven.core.errors import Unsupported
from breakeven.plugins.compression.base import Compression, TrainingBatches

if TYPE_CHECKING:
    from torch import nn

    from breakeven.artifacts.tensors import Tensors


class Student(Compression):
    """Makes one argument of the constructor smaller, and learns from the uncompressed model."""

    argument: str = Field("width", description="of the model's constructor, as the family sets it")
    factor: float = Field(gt=0, lt=1, description="by which that is multiplied")

    def architecture(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return `spec` with a smaller argument.

        Raises:
            Unsupported: the family sets no number of that name.
        """
        value = spec.get(self.argument)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unsupported(f"families of this kind set no number {self.argument!r} to make smaller")
        smaller = value * self.factor
        return {**spec, self.argument: max(1, round(smaller)) if isinstance(value, int) else smaller}

    def apply(self, model: "nn.Module", example: "Tensors", lessons: TrainingBatches) -> list[Any]:
        """Return no steps: `architecture` has changed the model."""
        return []
