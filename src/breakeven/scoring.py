"""Scores of logits on labels."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]  # (N, classes)


def accuracy(logits: Logits, labels: NDArray[np.int64], top: int = 1) -> float:
    """The share of images whose label is among the `top` largest logits.

    Without torchmetrics, which scores the training: importing it takes two seconds in every stage.
    """
    best = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return float((best == labels[:, None]).any(axis=1).mean())


def in_batches(
    predict: Callable[[NDArray[np.generic]], Logits], images: NDArray[np.uint8], size: int = 250
) -> Logits:
    """`predict` over all images, `size` at a time."""
    return np.concatenate([predict(batch) for batch in batches(images, size)])


def batches(images: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Slices of `size` images; the last may be shorter."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
