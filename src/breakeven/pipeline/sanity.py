"""The sanity check of a trained model: do its scores mean something?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from breakeven.artifacts.dataset import DatasetManifest, Images
from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.artifacts.module_modes import training_output
from breakeven.artifacts.output_of import OutputOf
from breakeven.artifacts.tensors import Tensors, count, separate
from breakeven.core.errors import Unsupported
from breakeven.plugins.tasks.base import Task, metric_words

if TYPE_CHECKING:
    from breakeven.pipeline.fit_model import ModelJob


LEAST_SWAPPED = 5  # images of a class that are called another one, before that is no accident


def require_trainable(model: nn.Module, example: Tensors, expected: tuple[int, ...]) -> None:
    """Refuse to fine-tune a model that gives something else while it is trained than otherwise.

    Args:
        expected: the shape of a sample's outputs.

    Raises:
        Unsupported: it says what the model gives.
    """
    output = training_output(model, example)
    if isinstance(model, OutputOf):
        output = separate(output)[0]
    actual = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
    if actual != (count(example), *expected):
        raise Unsupported(f"the model gives {actual} while it is trained, so it cannot be fine-tuned")


def swapped_classes(predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Return which classes a model seems to number in another order than the dataset; "" if none.

    A class counts if most images that the model calls by its number are of one other class, and are most of
    the images of that class. A model that has learned the classes does not mistake one for another so.

    Args:
        predicted: the number of the class that the model gives each image, (N,).
        labels: the number of its true class, (N,).
        classes: the names of the dataset's classes, in the order of their numbers.
    """
    table = np.zeros((len(classes), len(classes)), np.int64)  # [called, true]
    np.add.at(table, (predicted, labels), 1)
    called, true = table.sum(axis=1), table.sum(axis=0)
    swapped = [
        (one, other)
        for one, other in enumerate(table.argmax(axis=1))
        if one != other
        and table[one, other] >= LEAST_SWAPPED
        and 2 * table[one, other] > max(called[one], true[other])
    ]
    if not swapped:
        return ""
    one, other = max(swapped, key=lambda pair: table[pair])
    rest = len(swapped) - 1
    more = f", and so on for {rest} other class{'es'[: 2 * (rest > 1)]}" if rest else ""
    return (
        f"of the {called[one]} validation images that it calls {classes[one]}, {table[one, other]} are "
        f"{classes[other]}{more}. Classes are numbered in the order of their sorted names, from 0"
    )


def score_warning(
    job: "ModelJob",
    card: ModelManifest,
    outputs: NDArray[np.float32],
    val: Images,
    manifest: DatasetManifest,
) -> str:
    """Return a warning if the scores of a model would mean little; empty if there is no reason for one.

    The training may have failed. The user's weights may not go with the data, or may have seen the test set.

    Args:
        outputs: for the validation split.
    """
    assert card.val_score is not None
    if job.made == "checkpoint" and job.task.metric == "accuracy":
        swapped = swapped_classes(outputs.argmax(axis=1), val.labels, manifest.classes)
        if swapped:
            return f"{job.family}: perhaps the checkpoint numbers its classes in another order: {swapped}."
    simple, what = simple_score(job.task, val)
    if simple is not None and not job.task.is_better(card.val_score, simple):
        at_chance = f"{job.task.said(card.val_score)} on validation is no better than {what}"
        if job.train:
            return (
                f"{job.family}/{job.recipe} has learned nothing: {at_chance}. A lower learning rate than "
                f"{job.train.lr:g} may do (`lr`, of a family under families.{job.family}.train)."
            )
        return (
            f"{job.family}: perhaps the checkpoint does not go with the data: {at_chance}. Classes are "
            f"numbered in the order of their sorted names; the dataset's `mean`, `std` and `size` should be "
            f"those that it was trained with."
        )
    if job.made == "checkpoint" and not manifest.own_test:
        return (
            f"{job.family}: the test set was split off train/, and the checkpoint may have been trained on "
            f"it: its {metric_words(card.metric)} would be too good. Bring a test/ that it has not seen."
        )
    return ""


def simple_score(task: Task, val: Images) -> tuple[float | None, str]:
    """Return the score of the simplest answer to all samples, and what that is; None if there is none."""
    if task.metric == "accuracy":
        return float(np.bincount(val.labels).max() / len(val.labels)), "naming the most frequent class"
    if task.name == "regression":
        middle = np.broadcast_to(np.median(val.labels, axis=0), val.labels.shape).reshape(len(val.labels), -1)
        return float(task.scores(middle.astype(np.float32), val.labels).mean()), "always giving the median"
    return None, ""
