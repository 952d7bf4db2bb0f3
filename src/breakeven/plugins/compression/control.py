"""No compression: the uncompressed model, fine-tuned for as long as the compressed models."""

from typing import TYPE_CHECKING, Any

from breakeven.plugins.compression.base import Compression, TrainingBatches

if TYPE_CHECKING:
    from torch import nn

    from breakeven.artifacts.tensors import Tensors


class Control(Compression):
    """Shows which part of a compressed model's accuracy comes from the longer training alone."""

    def apply(self, model: "nn.Module", example: "Tensors", lessons: TrainingBatches) -> list[Any]:
        """Return no steps: nothing is changed."""
        return []
