"""Regression: one number or several for each sample."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from breakeven.plugins.tasks.base import Outputs, Scores, Targets, Task

if TYPE_CHECKING:
    from torch import Tensor


class Regression(Task):
    """Outputs are numbers, (N, numbers); targets are the same numbers, (N,) or (N, numbers)."""

    metric: Literal["absolute_error", "squared_error"] = "absolute_error"
    better: Literal["lower"] = "lower"
    trains_on: Literal["squared", "absolute", "huber"] = Field("squared", description="the error in the loss")

    def output_shape(self, inputs: tuple[int, ...], outputs: int) -> tuple[int, ...]:
        """Return (numbers,)."""
        return (outputs,)

    def scores(self, outputs: Outputs, targets: Targets) -> Scores:
        """Return the mean error of the numbers of each sample."""
        errors = outputs.astype(np.float64) - targets.reshape(outputs.shape)
        scores: Scores = (errors**2 if self.metric == "squared_error" else np.abs(errors)).mean(axis=1)
        return scores

    def objection(self, targets: Targets) -> str:
        """Return why these are no targets of the task; empty if they are."""
        fits = np.issubdtype(targets.dtype, np.floating)
        if fits:
            return ""
        whole = np.issubdtype(targets.dtype, np.integer)
        remedy = "whole numbers, which count as classes: make floats of them"
        return f"its targets are {remedy if whole else 'no numbers'}"

    def loss(self, outputs: "Tensor", targets: "Tensor", smoothing: float = 0.0) -> "Tensor":
        """Return the mean error."""
        import torch.nn.functional as F

        asked = targets.reshape(outputs.shape).to(outputs.dtype)
        if self.trains_on == "squared":
            return F.mse_loss(outputs, asked)
        return F.l1_loss(outputs, asked) if self.trains_on == "absolute" else F.huber_loss(outputs, asked)

    def imitation_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        """Return the mean error against the teacher's numbers."""
        return self.loss(outputs, teacher)
