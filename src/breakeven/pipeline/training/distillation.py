"""Distillation: training that also follows another model's outputs (Hinton et al., 2015)."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven.artifacts.module_modes import evaluated


@dataclass(frozen=True)
class Teacher:
    """A trained model that a student follows, and the weight of its outputs in the loss."""

    model: nn.Module
    weight: float  # its share of the loss; the labels have the rest
    temperature: float  # above 1, the wrong classes' probabilities count more

    def __post_init__(self) -> None:
        evaluated(self.model).requires_grad_(False)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Teacher":
        """Return the teacher itself instead of a copy.

        Averaging weights copies everything in a training. The teacher never changes, so it needs no copy.
        """
        return self

    def loss(self, labels_loss: Tensor, logits: Tensor, inputs: Tensor) -> Tensor:
        """Return the loss of a student with `logits` on `inputs`.

        Args:
            labels_loss: the student's loss by the labels.
            logits: (N, classes).
        """
        with torch.no_grad():
            teacher_logits = self.model.to(inputs.device)(inputs).float()
        t = self.temperature
        target = F.log_softmax(teacher_logits / t, dim=1)
        divergence = F.kl_div(
            F.log_softmax(logits / t, dim=1), target, reduction="batchmean", log_target=True
        )
        # The factor t * t compensates the second term's gradient, which shrinks with the square of t.
        return (1 - self.weight) * labels_loss + self.weight * t * t * divergence
