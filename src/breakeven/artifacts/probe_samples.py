"""Samples that are changed on purpose: an exported model may have learned by heart what its example did.

A trace keeps the branch that its example took. Samples of the test set may all take the same one.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import records

Change = Callable[[NDArray[Any]], NDArray[Any]]


def probe_samples(samples: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return changed copies of some samples, by words for the change; each input of several is changed.

    Changes that change nothing are left out.

    Args:
        samples: (N, ...) bytes of pixels, whole numbers such as tokens, or numbers; or records of several.
    """
    fields = records.fields_of(samples)
    found: dict[str, NDArray[Any]] = {}
    for words in dict.fromkeys(words for field in fields for words in _changes(field)):
        changed = [_changes(field).get(words, _same)(field) for field in fields]
        if not all(np.array_equal(one, other) for one, other in zip(changed, fields, strict=True)):
            found[words] = _joined(samples, changed)
    return found


def _changes(field: NDArray[Any]) -> Mapping[str, Change]:
    if field.dtype == np.uint8:
        return {
            "inverted pixels": lambda own: 255 - own,
            "black images": np.zeros_like,
            "sorted pixels": _sorted,
        }
    if field.dtype.kind in "iub":
        return {"inputs in reverse": lambda own: own[:, ::-1].copy() if own.ndim > 1 else own[::-1].copy()}
    return {
        "inputs of the other sign": np.negative,
        "inputs of zeros": np.zeros_like,
        "inputs three times as large": _tripled,
        "sorted inputs": _sorted,
    }


def _same(field: NDArray[Any]) -> NDArray[Any]:
    return field


def _tripled(field: NDArray[Any]) -> NDArray[Any]:
    """Return three times each number, in its own type; the largest numbers become infinite."""
    with np.errstate(over="ignore"):
        tripled: NDArray[Any] = np.multiply(field, 3, dtype=field.dtype)
    return tripled


def _sorted(field: NDArray[Any]) -> NDArray[Any]:
    """Return each sample with its numbers in order."""
    return np.sort(field.reshape(len(field), -1), axis=1).reshape(field.shape)


def _joined(samples: NDArray[Any], fields: list[NDArray[Any]]) -> NDArray[Any]:
    names = samples.dtype.names
    return fields[0] if names is None else records.join(dict(zip(names, fields, strict=True)))
