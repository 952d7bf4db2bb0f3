"""The interface of a task: what a model's outputs should be, and how they are scored, sample by sample."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from breakeven.core.plugin import Plugin

if TYPE_CHECKING:  # the configuration is checked without the seconds that importing torch takes
    from torch import Tensor

Outputs = NDArray[Any]  # (N, ...) float32, of a model; or records, (N,), where several are scored
Targets = NDArray[Any]  # (N, ...), of a dataset
Scores = NDArray[np.float64]  # (N,)
PERCENT = "%"
SPELLED = {"iou": "IoU", "recall_at_1": "recall@1"}  # metrics whose names are no words


class Task(Plugin, ABC):
    """Settings that all tasks share.

    Each sample has a score of its own, so that two variants are compared on the same samples. The score of a
    variant is the mean over the test set.
    """

    metric: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="the score's name, as columns have it")
    better: Literal["higher", "lower"] = Field(description="which scores are the better ones")
    unit: str = Field("", description='of the score; "%": it is a share, and is shown as a percentage')

    @property
    def maps(self) -> bool:
        """Return whether targets are maps of the image: what moves an image would have to move them, too."""
        return False

    @abstractmethod
    def output_shape(self, inputs: tuple[int, ...], outputs: int) -> tuple[int, ...]:
        """Return the shape of what a model gives for one sample.

        Args:
            inputs: the shape of one sample: (C, H, W), (L,) or (F,).
            outputs: the number of classes, or of numbers to predict.
        """

    @abstractmethod
    def scores(self, outputs: Outputs, targets: Targets) -> Scores:
        """Return the score of each sample."""

    @abstractmethod
    def loss(self, outputs: Any, targets: "Tensor", smoothing: float = 0.0) -> "Tensor":
        """Return the loss of a batch, a scalar.

        Args:
            outputs: a tensor, (N, ...), or a tuple of tensors where several outputs are scored.
            smoothing: the share of a label that goes to all classes; tasks without classes ignore it.
        """

    @abstractmethod
    def imitation_loss(self, outputs: Any, teacher: Any, temperature: float) -> "Tensor":
        """Return the loss of a student whose outputs should be the teacher's (Hinton et al., 2015).

        Args:
            temperature: above 1, the wrong classes' probabilities count more.
        """

    def objection(self, targets: Targets) -> str:
        """Return why these are no targets of the task; empty if they are."""
        return ""

    def agreement(self, outputs: Outputs, reference: Outputs) -> float | None:
        """Return the share of the decisions in which two models agree; None if outputs are no decisions."""
        return None

    def further_scores(self, outputs: Outputs, targets: Targets) -> dict[str, float]:
        """Return other scores of the test set that a row shows: name of the column -> value."""
        return {}

    def said(self, score: float) -> str:
        """Return a score with the name of its metric, as "accuracy 98.33%"."""
        return f"{metric_words(self.metric)} {figure_text(score, self.unit)}"

    def is_better(self, score: float, other: float) -> bool:
        """Return whether a score is better than another one."""
        return score > other if self.better == "higher" else score < other


def class_objection(targets: Targets, dimensions: int, each: str) -> str:
    """Return why targets are no classes; empty if they are.

    Args:
        dimensions: that they should have.
        each: what has a class of its own, for the message.
    """
    fits = targets.ndim == dimensions and np.issubdtype(targets.dtype, np.integer)
    return "" if fits else f"its targets are no classes, one for each {each}"


def metric_words(metric: str) -> str:
    """Return the name of a metric as people read it, as "absolute error"."""
    return SPELLED.get(metric, metric.replace("_", " "))


def at_start(words: str) -> str:
    """Return words with a capital first letter; "IoU" keeps its own."""
    return words[:1].upper() + words[1:]


def figure_text(value: float, unit: str) -> str:
    """Return a score as people read it: a share in percent, any other number in four digits."""
    if unit == PERCENT:
        return f"{value:.2%}"
    return f"{value:.4g}{f' {unit}' if unit else ''}"


def class_imitation_loss(outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
    """Return the divergence of two distributions over classes, which are dimension 1 of both tensors."""
    import torch.nn.functional as F

    target = F.log_softmax(teacher / temperature, dim=1)
    given = F.log_softmax(outputs / temperature, dim=1)
    divergence = F.kl_div(given, target, reduction="none", log_target=True).sum(dim=1).mean()
    # The factor compensates the gradient, which shrinks with the square of the temperature.
    return temperature * temperature * divergence
