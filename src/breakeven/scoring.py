"""Scores of logits on labels, by torchmetrics."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]  # (N, classes)


def accuracy(logits: Logits, labels: NDArray[np.int64], top: int = 1) -> float:
    """The share of images whose label is among the `top` largest logits."""
    import torch
    from torchmetrics.functional.classification import multiclass_accuracy

    classes = logits.shape[1]
    return float(
        multiclass_accuracy(
            torch.from_numpy(logits),
            torch.from_numpy(labels),
            classes,
            average="micro",
            top_k=min(top, classes),
        )
    )


def in_batches(
    predict: Callable[[NDArray[np.generic]], Logits], images: NDArray[np.uint8], size: int = 250
) -> Logits:
    """`predict` over all images, `size` at a time."""
    return np.concatenate([predict(batch) for batch in batches(images, size)])


def batches(images: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Slices of `size` images; the last may be shorter."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
