"""No compression: the uncompressed model, fine-tuned as long as the compressed ones."""

from typing import TYPE_CHECKING, Any

from breakeven.plugins.compression.base import Compression, TrainingBatches

if TYPE_CHECKING:
    from torch import Tensor, nn


class Control(Compression):
    """What of a compressed model's accuracy is due to its longer training, this one has too."""

    def apply(self, model: "nn.Module", example: "Tensor", lessons: TrainingBatches) -> list[Any]:
        """Change nothing."""
        return []
