"""Predictions in batches, and their accuracy."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.records import values_of_sample

Logits = NDArray[Any]  # (N, ...) float32, or (N,) records of several outputs
T = TypeVar("T", bound=np.generic)
MAX_BATCH_VALUES = 2**24  # most values of all channels in a batch


def accuracy(logits: Logits, labels: NDArray[np.int64], top: int = 1) -> float:
    """Return the share of images whose label is among the `top` largest logits.

    The training uses torchmetrics for this. Stages do not, because importing it takes two seconds.
    """
    best = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return float((best == labels[:, None]).any(axis=1).mean())


def is_right(logits: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 for each sample whose largest logit is that of its class, and 0 for the others."""
    right: NDArray[np.float64] = (logits.argmax(axis=1) == labels).astype(np.float64)
    return right


def safe_batch_size(images: NDArray[T], most: int = 250) -> int:
    """Return how many of the samples to predict at once.

    Large images get small batches, because a network's activations have to fit into memory.

    Args:
        images: (N, ...).
        most: the largest batch.
    """
    return max(1, min(most, MAX_BATCH_VALUES // values_of_sample(images)))


def predict_in_batches(predict: Callable[[NDArray[T]], Logits], images: NDArray[T], size: int = 0) -> Logits:
    """Return the logits of all images, predicted `size` at a time; 0 chooses a safe size."""
    return np.concatenate([predict(batch) for batch in batches(images, size or safe_batch_size(images))])


def batches(images: NDArray[T], size: int) -> Iterator[NDArray[T]]:
    """Yield slices of `size` images; the last may be shorter."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
