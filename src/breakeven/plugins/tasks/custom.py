"""A task of the user's own: the score and the loss are functions in the user's module."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, field_validator

from breakeven.artifacts.records import separated
from breakeven.core.errors import UserError
from breakeven.core.named_function import function_name, named_function
from breakeven.plugins.tasks.base import PERCENT, Outputs, Scores, Targets, Task

if TYPE_CHECKING:
    from torch import Tensor


METRIC = r"^[a-z][a-z0-9_]*$"
# Names that mean something else where scores are logged and shown
TAKEN = ("accuracy", "latency", "paid_back", "loss", "lr", "seconds", "epoch", "speedup", "latency_ms_p50")


class Custom(Task):
    """Outputs and targets are what the functions take; a model gives a fixed number of numbers a sample."""

    metric: str = Field(pattern=METRIC, description="the score's name, as columns have it")
    better: Literal["higher", "lower"] = Field(description="which scores are the better ones")
    score: str = Field(
        description="MODULE:FUNCTION; it takes outputs and targets, and returns a number a sample",
    )
    train_loss: str | None = Field(
        None,
        description="MODULE:FUNCTION; it takes outputs and targets, and returns a scalar; null: no training",
    )
    shape: list[int] | None = Field(
        None, description="of a sample's outputs; null: one output for each target column or class"
    )

    @field_validator("metric")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in TAKEN:
            raise ValueError(f"the name {value} means something else here: choose another one")
        return value

    _names = field_validator("score", "train_loss")(function_name)

    @property
    def maps(self) -> bool:
        """Return whether a target has more than one dimension."""
        return len(self.shape or ()) > 1

    def output_shape(self, inputs: tuple[int, ...], outputs: int) -> tuple[int, ...]:
        """Return the shape of the settings, or (numbers,)."""
        return tuple(self.shape) if self.shape else (outputs,)

    def scores(self, outputs: Outputs, targets: Targets) -> Scores:
        """Call the user's function: with an array, or a tuple of arrays where several outputs are scored.

        Raises:
            UserError: it cannot be called, or gives something else than one finite number a sample.
        """
        try:
            function = named_function(self.score, "task.score")
            scores = np.asarray(function(separated(outputs), targets), np.float64)
        except UserError:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
            raise UserError(f"task.score={self.score}: it failed ({reason}).") from None
        if scores.shape != (len(targets),):
            raise UserError(
                f"task.score={self.score}: gives {scores.shape} for {len(targets)} samples: return one "
                "number for each sample, and not their mean."
            )
        if not np.isfinite(scores).all():
            raise UserError(f"task.score={self.score}: gives numbers that are not finite.")
        if self.unit == PERCENT and not ((scores >= 0) & (scores <= 1)).all():
            raise UserError(
                f"task.score={self.score}: gives {scores.max():g}: with unit=% return shares, 0 to 1."
            )
        return scores

    def loss(self, outputs: "Tensor", targets: "Tensor", smoothing: float = 0.0) -> "Tensor":
        """Call the user's function."""
        if self.train_loss is None:
            raise UserError(
                "task.train_loss=null: give the function that a training minimizes, or train=null."
            )
        loss: Tensor = named_function(self.train_loss, "task.train_loss")(outputs, targets)
        return loss

    def imitation_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        """Return the mean squared difference from the teacher's outputs."""
        import torch
        import torch.nn.functional as F

        from breakeven.artifacts.tensors import separate

        pairs = zip(separate(outputs), separate(teacher), strict=True)
        return torch.stack([F.mse_loss(*pair) for pair in pairs]).sum()
