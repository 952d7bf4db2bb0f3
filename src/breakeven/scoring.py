"""Scores of logits on labels."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]  # (N, classes)
T = TypeVar("T", bound=np.generic)


def accuracy(logits: Logits, labels: NDArray[np.int64], top: int = 1) -> float:
    """The share of images whose label is among the `top` largest logits.

    Without torchmetrics, which scores the training: importing it takes two seconds in every stage.
    """
    best = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return float((best == labels[:, None]).any(axis=1).mean())


def in_batches(predict: Callable[[NDArray[T]], Logits], images: NDArray[T], size: int = 250) -> Logits:
    """`predict` over all images, `size` at a time."""
    return np.concatenate([predict(batch) for batch in batches(images, size)])


def batches(images: NDArray[T], size: int) -> Iterator[NDArray[T]]:
    """Slices of `size` images; the last may be shorter."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
