"""Scores of logits on labels."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]  # (N, classes)
T = TypeVar("T", bound=np.generic)
PIXELS = 2**24  # of all channels, at once


def accuracy(logits: Logits, labels: NDArray[np.int64], top: int = 1) -> float:
    """The share of images whose label is among the `top` largest logits.

    Without torchmetrics, which scores the training: importing it takes two seconds in every stage.
    """
    best = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return float((best == labels[:, None]).any(axis=1).mean())


def safe_batch_size(images: NDArray[T], most: int = 250) -> int:
    """How many of them are predicted at once: what a network makes of large ones may not fit into memory."""
    return max(1, min(most, PIXELS // int(np.prod(images.shape[1:]))))


def predict_in_batches(predict: Callable[[NDArray[T]], Logits], images: NDArray[T], size: int = 0) -> Logits:
    """`predict` over all images, `size` at a time; by default as many as is reasonable."""
    return np.concatenate([predict(batch) for batch in batches(images, size or safe_batch_size(images))])


def batches(images: NDArray[T], size: int) -> Iterator[NDArray[T]]:
    """Slices of `size` images; the last may be shorter."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
