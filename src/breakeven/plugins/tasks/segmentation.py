"""Segmentation: one class for each pixel of an image."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

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


class Segmentation(Task):
    """Outputs are logits, (N, classes, H, W); targets are the numbers of classes, (N, H, W)."""

    metric: Literal["iou"] = "iou"
    better: Literal["higher"] = "higher"
    unit: Literal["%"] = "%"
    ignored: int = Field(255, description="the label of pixels that are not scored")

    @property
    def maps(self) -> bool:
        """Return that a target is a map of its image."""
        return True

    def output_shape(self, inputs: tuple[int, ...], outputs: int) -> tuple[int, ...]:
        """Return (classes, H, W)."""
        return (outputs, *inputs[1:])

    def scores(self, outputs: Outputs, targets: Targets) -> Scores:
        """Return each image's mean intersection over union, over the classes that it shows or is given."""
        given = outputs.argmax(axis=1)
        asked = targets != self.ignored
        shared, either = (np.zeros((outputs.shape[1], len(outputs))) for _ in range(2))
        for number in range(outputs.shape[1]):
            found, true = (given == number) & asked, (targets == number) & asked
            shared[number] = (found & true).sum(axis=(1, 2))
            either[number] = (found | true).sum(axis=(1, 2))
        there = either > 0
        ratios = np.divide(shared, either, out=np.zeros_like(shared), where=there)
        # An image without any pixel that counts has nothing wrong.
        scores: Scores = np.where(
            there.any(axis=0), ratios.sum(axis=0) / np.maximum(there.sum(axis=0), 1), 1.0
        )
        return scores

    def objection(self, targets: Targets) -> str:
        """Return why these are no targets of the task; empty if they are."""
        return class_objection(targets, 3, "pixel")

    def loss(self, outputs: "Tensor", targets: "Tensor", smoothing: float = 0.0) -> "Tensor":
        """Return the cross-entropy of the pixels."""
        import torch.nn.functional as F

        return F.cross_entropy(outputs, targets, label_smoothing=smoothing, ignore_index=self.ignored)

    def imitation_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        """Return the divergence of the distributions over classes, over all pixels."""
        return class_imitation_loss(outputs, teacher, temperature)

    def agreement(self, outputs: Outputs, reference: Outputs) -> float:
        """Return the share of pixels that get the same class."""
        return float((outputs.argmax(axis=1) == reference.argmax(axis=1)).mean())
