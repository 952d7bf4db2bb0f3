"""The sanity check of a trained model: do its accuracies mean something?"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.artifacts.module_modes import training_output
from breakeven.core.errors import Unsupported

if TYPE_CHECKING:
    from breakeven.pipeline.fit_model import ModelJob


def require_trainable(model: nn.Module, example: Tensor, classes: int) -> None:
    """Refuse to fine-tune a model that gives something else than logits while it is trained.

    Raises:
        Unsupported: it says what the model gives.
    """
    output = training_output(model, example)
    actual = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
    if actual != (len(example), classes):
        raise Unsupported(f"the model gives {actual} while it is trained, so it cannot be fine-tuned")


def accuracy_warning(
    job: "ModelJob", card: ModelManifest, labels: NDArray[np.int64], own_test: bool = True
) -> str:
    """Return a warning if the accuracies of a model would mean little; empty if there is no reason for one.

    The training may have failed. The user's weights may not go with the data, or may have seen the test set.

    Args:
        labels: of the validation split.
        own_test: whether the source has a test set of its own; otherwise, images for training were split.
    """
    chance = np.bincount(labels).max() / len(labels)
    if card.val_accuracy is None:
        return ""
    at_chance = f"{card.val_accuracy:.2%} on validation is no more than naming the most frequent class gives"
    if card.val_accuracy <= chance and job.train:
        return (
            f"{job.family}/{job.recipe} has learned nothing: {at_chance}. A lower learning rate than "
            f"{job.train.lr:g} may do (`lr`, of a family under families.{job.family}.train)."
        )
    if card.val_accuracy <= chance:
        return (
            f"{job.family}: perhaps the checkpoint does not go with the data: {at_chance}. Classes are "
            f"numbered in the order of their sorted names; the dataset's `mean`, `std` and `size` should be "
            f"those that it was trained with."
        )
    if job.made == "checkpoint" and not own_test:
        return (
            f"{job.family}: the test set was split off train/, and the checkpoint may have been trained on "
            f"it: its accuracy would be too high. Bring a test/ that it has not seen."
        )
    return ""
