"""Classification: one class for each sample."""

from typing import TYPE_CHECKING, Literal

from breakeven.artifacts import inference
from breakeven.plugins.tasks.base import (
    Outputs,
    Scores,
    Targets,
    Task,
    class_imitation_loss,
    class_objection,
)

if TYPE_CHECKING:
    from torch import Tensor

TOP = 5  # classes, of the column accuracy_top5


class Classification(Task):
    """Outputs are logits, (N, classes); targets are the numbers of classes, (N,)."""

    metric: Literal["accuracy"] = "accuracy"
    better: Literal["higher"] = "higher"
    unit: Literal["%"] = "%"

    def output_shape(self, inputs: tuple[int, ...], outputs: int) -> tuple[int, ...]:
        """Return (classes,)."""
        return (outputs,)

    def scores(self, outputs: Outputs, targets: Targets) -> Scores:
        """Return 1 for each sample whose largest logit is that of its class, and 0 for the others."""
        return inference.is_right(outputs, targets)

    def objection(self, targets: Targets) -> str:
        """Return why these are no targets of the task; empty if they are."""
        return class_objection(targets, 1, "sample")

    def loss(self, outputs: "Tensor", targets: "Tensor", smoothing: float = 0.0) -> "Tensor":
        """Return the cross-entropy."""
        import torch.nn.functional as F

        return F.cross_entropy(outputs, targets, label_smoothing=smoothing)

    def imitation_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        """Return the divergence of the distributions over classes."""
        return class_imitation_loss(outputs, teacher, temperature)

    def agreement(self, outputs: Outputs, reference: Outputs) -> float:
        """Return the share of samples that get the same class."""
        return float((outputs.argmax(axis=1) == reference.argmax(axis=1)).mean())

    def further_scores(self, outputs: Outputs, targets: Targets) -> dict[str, float]:
        """Return the share of samples whose class is among the five largest logits, if there are more."""
        if outputs.shape[1] <= TOP:
            return {}
        return {"accuracy_top5": inference.accuracy(outputs, targets, top=TOP)}
