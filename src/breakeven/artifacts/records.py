"""Samples of several inputs, or several outputs, as records: a structured array with a field for each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.core.errors import UserError

WHOLE = "iub"  # kinds of types that are no fractions: integers and booleans


def join(fields: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return records of several arrays, (N, ...) each, in their order."""
    kinds = [(name, array.dtype, array.shape[1:]) for name, array in fields.items()]
    records = np.empty(len(next(iter(fields.values()))), kinds)
    for name, array in fields.items():
        records[name] = array
    return records


def fields_of(samples: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the arrays that records were joined from; of any other array, the array itself."""
    names = samples.dtype.names
    return [samples] if names is None else [np.ascontiguousarray(samples[name]) for name in names]


def as_samples(inputs: Any, names: Sequence[str] = ()) -> NDArray[Any]:
    """Return records of a tuple, list or mapping of arrays; an array as it is.

    Args:
        names: the order of a mapping's arrays; empty: their own.

    Raises:
        UserError: the mapping has other names, or there are more or fewer arrays than names.
    """
    if isinstance(inputs, Mapping):
        if names and {*names} != {*inputs}:
            raise UserError(f"the inputs are {', '.join(inputs)}, and the model takes {', '.join(names)}.")
        return join({name: np.asarray(inputs[name]) for name in names or inputs})
    if names and (not isinstance(inputs, tuple | list) or len(inputs) != len(names)):
        given = f"{len(inputs)} inputs" if isinstance(inputs, tuple | list) else "one array"
        raise UserError(f"the model takes {', '.join(names)}, and {given} came: give a tuple or a mapping.")
    if isinstance(inputs, tuple | list):
        return join({f"input{number}": np.asarray(array) for number, array in enumerate(inputs)})
    return np.asarray(inputs)


def named(samples: NDArray[Any]) -> Any:
    """Return an array as it is, and records as a dictionary of arrays."""
    names = samples.dtype.names
    return samples if names is None else dict(zip(names, fields_of(samples), strict=True))


def separated(outputs: NDArray[Any]) -> Any:
    """Return an array as it is, and records as a tuple of arrays."""
    return outputs if outputs.dtype.names is None else tuple(fields_of(outputs))


def outputs_of(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return what a model gives as one array: records, where it gives several. Only whole numbers stay so."""
    kept = [array if array.dtype.kind in WHOLE else np.asarray(array, np.float32) for array in arrays]
    if len(kept) == 1:
        return np.asarray(kept[0], np.float32)
    return join({f"output{number}": array for number, array in enumerate(kept)})


def leading(outputs: NDArray[Any], number: int) -> NDArray[Any]:
    """Return the first `number` of a model's outputs."""
    names = outputs.dtype.names
    if names is None or number >= len(names):
        return outputs
    return fields_of(outputs)[0] if number == 1 else join({name: outputs[name] for name in names[:number]})


def values_of_sample(samples: NDArray[Any]) -> int:
    """Return how many numbers a sample has, over all its fields."""
    fields = samples.dtype.fields
    shapes = [samples.shape[1:]] if fields is None else [kind.shape for kind, *_ in fields.values()]
    return max(1, sum(int(np.prod(shape)) for shape in shapes))


def errors(outputs: NDArray[Any], expected: NDArray[Any]) -> tuple[float, float]:
    """Return how far outputs are from the expected ones: the largest difference, and its relative size.

    Relative to the largest number of the same output. Of whole numbers, such as classes, both are the share
    that differs. The output with the largest relative difference decides. An infinity or NaN has to stand at
    the same places in both, or the difference is infinite.
    """
    pairs = zip(fields_of(outputs), fields_of(expected), strict=False)
    return max((_error(*pair) for pair in pairs), key=lambda found: found[1])


def _error(one: NDArray[Any], other: NDArray[Any]) -> tuple[float, float]:
    if other.dtype.kind in WHOLE:
        share = float((one != other).mean()) if other.size else 0.0
        return (share, share)
    finite = np.isfinite(other)
    if not np.array_equal(finite, np.isfinite(one)):
        return (math.inf, math.inf)
    if not finite.any():
        return (0.0, 0.0)
    error, largest = float(np.abs(one[finite] - other[finite]).max()), float(np.abs(other[finite]).max())
    return (error, error / (largest or 1.0))


def is_finite(outputs: NDArray[Any]) -> bool:
    """Return whether all numbers are."""
    return all(bool(np.isfinite(array).all()) for array in fields_of(outputs))
