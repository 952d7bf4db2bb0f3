"""Distillation: a training that also follows another model's outputs (Hinton et al., 2015)."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Teacher:
    """A trained model, and how much it counts."""

    model: nn.Module
    weight: float  # of its share of the loss; the labels have the rest
    temperature: float  # above 1, what it thinks of the wrong classes counts more

    def __post_init__(self) -> None:
        self.model.eval().requires_grad_(False)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Teacher":
        """Itself: nothing changes it, and an average of weights copies all that a training holds."""
        return self

    def loss(self, labels_loss: Tensor, logits: Tensor, inputs: Tensor) -> Tensor:
        """The loss that a student with `logits` has on `inputs`.

        Args:
            labels_loss: its loss by the labels.
            logits: (N, classes).
        """
        with torch.no_grad():
            taught = self.model.to(inputs.device)(inputs).float()
        t = self.temperature
        target = F.log_softmax(taught / t, dim=1)
        follows = F.kl_div(F.log_softmax(logits / t, dim=1), target, reduction="batchmean", log_target=True)
        # The gradient of the second term shrinks with the square of the temperature.
        return (1 - self.weight) * labels_loss + self.weight * t * t * follows
