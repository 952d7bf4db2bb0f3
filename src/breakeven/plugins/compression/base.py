"""The interface of a compression: it changes a model, and returns how to rebuild the changed structure."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from breakeven.core.plugin import Plugin

if TYPE_CHECKING:  # the configuration is checked without the seconds that importing torch takes
    from torch import Tensor, nn

    from breakeven.artifacts.tensors import Tensors

LossOf = Callable[["Tensor"], "Tensor"]  # the outputs for a batch -> the loss, a scalar
# Called with a number, it yields batches of so many training inputs in all, each with its loss; it yields the
# whole training split where that has fewer.
TrainingBatches = Callable[[int], "Iterable[tuple[Tensors, LossOf]]"]


class Compression(Plugin, ABC):
    """Settings of one step of a recipe, and of the fine-tuning after it.

    Attributes:
        imports: the modules that `apply` imports besides torch. Their import may start no thread.
    """

    imports: ClassVar[tuple[str, ...]] = ()

    epochs: float = Field(gt=0, description="of fine-tuning, as a share of the family's own")
    lr: float = Field(gt=0, description="peak of the fine-tuning's schedule, as a share of the family's own")

    distil: float = Field(ge=0, le=1, description="share of the loss that follows the uncompressed model")
    temperature: float = Field(gt=0, description="of that share: above 1, the wrong classes count more")

    def architecture(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the constructor and arguments of the model to begin with, by default unchanged.

        A changed model begins with random weights.

        Args:
            spec: the family's `model` settings.

        Raises:
            Unsupported: this compression cannot change such a model.
        """
        return dict(spec)

    @abstractmethod
    def apply(self, model: "nn.Module", example: "Tensors", lessons: TrainingBatches) -> list[Any]:
        """Change `model` in place, and return the steps that rebuild its structure (see `saved_model`).

        Args:
            model: in evaluation mode.
            example: inputs of the model's shape.
            lessons: yields training data, for a compression that decides by data.

        Raises:
            NotInstalled: a package that it needs is missing.
            Unsupported: this compression cannot change this model.
        """

    def finish(self, model: "nn.Module") -> None:
        """Remove from `model`, after the fine-tuning, what only the fine-tuning needed."""
