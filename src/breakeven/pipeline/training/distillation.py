"""Distillation: training that also follows another model's outputs (Hinton et al., 2015)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.artifacts.module_modes import evaluated, scored_outputs
from breakeven.artifacts.tensors import Tensors, call, each
from breakeven.plugins.tasks.base import Task


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

    def loss(self, targets_loss: Tensor, outputs: Tensors, inputs: Tensors, task: Task) -> Tensor:
        """Return the loss of a student that gives `outputs` for `inputs`.

        Args:
            targets_loss: the student's loss by the dataset's targets.
            outputs: (N, ...).
        """
        with torch.no_grad():
            model = self.model.to(targets_loss.device)
            teacher = each(Tensor.float, scored_outputs(model, call(model, inputs)))
        imitation = task.imitation_loss(outputs, teacher, self.temperature)
        return (1 - self.weight) * targets_loss + self.weight * imitation
