"""What a client is told: classes with probabilities, or the outputs of other tasks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.records import named

TOP = 5  # classes of a sample


def predictions(outputs: NDArray[Any], classes: Sequence[str], is_classification: bool) -> list[Any]:
    """Return an entry a sample: its likeliest classes, or its outputs as lists of numbers.

    Args:
        outputs: (N, ...) of the model, or records of several outputs.
        classes: their names.
    """
    if not is_classification or outputs.dtype.names:
        several = named(outputs)
        if isinstance(several, dict):
            lists = {name: array.tolist() for name, array in several.items()}
            return [{name: values[i] for name, values in lists.items()} for i in range(len(outputs))]
        return list(outputs.tolist())
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    best = np.argsort(-shares, axis=1, kind="stable")[:, :TOP]
    return [
        [
            {"class": classes[number], "index": int(number), "probability": round(float(one[number]), 6)}
            for number in order
        ]
        for one, order in zip(shares, best, strict=True)
    ]
