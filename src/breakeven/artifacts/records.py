"""Samples of several inputs, or several outputs, as records: a structured array with a field for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


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


def as_samples(inputs: Any) -> NDArray[Any]:
    """Return records of a tuple, list or mapping of arrays; an array as it is."""
    if isinstance(inputs, Mapping):
        return join(inputs)
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
    """Return what a model gives as one array of float32: records, where it gives several."""
    floats = [np.asarray(array, np.float32) for array in arrays]
    return floats[0] if len(floats) == 1 else join({f"output{n}": array for n, array in enumerate(floats)})


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
    """Return the largest difference, and the largest as a share of the largest number beside it.

    Outputs of different sizes are compared by the share: the worst of them decides. An output that should be
    all zeros counts by its difference.
    """
    worst = (0.0, 0.0)
    for one, other in zip(fields_of(outputs), fields_of(expected), strict=False):
        error, largest = float(np.abs(one - other).max(initial=0.0)), float(np.abs(other).max(initial=0.0))
        if np.isnan(error):  # an infinity or no number in one of them: as far off as can be
            return (error, error)
        worst = max(worst, (error, error / (largest or 1.0)), key=lambda found: found[1])
    return worst


def is_finite(outputs: NDArray[Any]) -> bool:
    """Return whether all numbers are."""
    return all(bool(np.isfinite(array).all()) for array in fields_of(outputs))
