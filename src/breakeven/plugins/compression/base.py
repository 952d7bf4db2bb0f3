"""What a compression is: it changes a model, and says what it did."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from breakeven.core.plugin import Plugin

if TYPE_CHECKING:  # the configuration is checked without the seconds that importing torch takes
    from torch import Tensor, nn

# Gives batches of training inputs, as the model takes them, and labels: of so many images, or all there are.
TrainingBatches = Callable[[int], "Iterable[tuple[Tensor, Tensor]]"]


class Compression(Plugin, ABC):
    """Settings of one step of a recipe, with those of the fine-tuning that follows."""

    epochs: float = Field(gt=0, description="of fine-tuning, as a share of the family's own")
    lr: float = Field(gt=0, description="peak of the fine-tuning's schedule, as a share of the family's own")

    distil: float = Field(ge=0, le=1, description="share of the loss that follows the uncompressed model")
    temperature: float = Field(gt=0, description="of that share: above 1, the wrong classes count more")

    def architecture(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """What to begin with: by default the model of `spec` with the weights that it has.

        If it is another one, that begins with random weights.

        Raises:
            Unsupported: it cannot take this model.
        """
        return dict(spec)

    @abstractmethod
    def apply(self, model: "nn.Module", example: "Tensor", lessons: TrainingBatches) -> list[Any]:
        """Change `model` in place; returns the history that rebuilds its structure (see modelfile).

        Args:
            model: in evaluation mode.
            example: inputs of the right shape.
            lessons: gives training data to whoever decides by them.

        Raises:
            NotInstalled: what it takes.
            Unsupported: it cannot take this model.
        """

    def finish(self, model: "nn.Module") -> None:
        """Undo, after the fine-tuning, what only that needed."""
