"""The result of a training, in a file of its own because Lightning takes seconds to import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

History = list[dict[str, float]]
OnEpoch = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True)
class TrainingResult:
    """A finished training; the model holds the weights of the best epoch by validation accuracy."""

    model: nn.Module
    seconds: float = 0.0  # of training and validation, with the time before each resume
    history: History = field(default_factory=list)  # one row an epoch
