"""Samples one by one, as arrays of all: what datasets of the user's own code and of Hugging Face share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.dataset import Images
from breakeven.artifacts.disk_array import new_array
from breakeven.core import paths


def as_array(value: Any) -> NDArray[Any]:
    """Return a value as an array: a picture as (C, H, W), doubles as float32, integers as int64."""
    if hasattr(value, "getbands"):  # a picture of PIL
        pixels = np.asarray(value)
        return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
    if array.dtype == np.float64:
        return array.astype(np.float32)
    return array.astype(np.int64) if array.dtype.kind == "i" and array.dtype != np.int64 else array


class OddSamples(Exception):
    """Samples that no arrays can hold; the message says why."""


class SampleRows:
    """Arrays of all samples, which are as the first one."""

    def __init__(self, total: int, inputs: Mapping[str, NDArray[Any]], target: NDArray[Any]) -> None:
        for name, array in {**inputs, "the target": target}.items():
            if array.dtype.kind not in "iufb":
                raise OddSamples(f"{name} holds no numbers, but {array.dtype}: give numbers")
        names = [*inputs]
        kinds = [(name, array.dtype, array.shape) for name, array in inputs.items()]
        only = inputs[names[0]]
        self.is_record = len(names) > 1
        dtype = np.dtype(kinds) if self.is_record else only.dtype
        shape = (total,) if self.is_record else (total, *only.shape)
        self.inputs = new_array(shape, dtype, paths.PREPARED)
        is_integer = target.dtype.kind in "iub"
        self.targets = new_array(
            (total, *target.shape), np.int64 if is_integer else target.dtype, paths.PREPARED
        )
        self.kinds = {**{name: _kind(array) for name, array in inputs.items()}, "target": _kind(target)}

    def put(self, number: int, inputs: Mapping[str, NDArray[Any]], target: NDArray[Any]) -> None:
        """Keep a sample.

        Raises:
            OddSamples: it is not as the first one; the message says in what.
        """
        kinds = {**{name: _kind(array) for name, array in inputs.items()}, "target": _kind(target)}
        if odd := [name for name in {**self.kinds, **kinds} if self.kinds.get(name) != kinds.get(name)]:
            was, now = self.kinds.get(odd[0], "absent"), kinds.get(odd[0], "absent")
            raise OddSamples(
                f"samples differ in {odd[0]} (first {was}, number {number} {now}): "
                "pad or crop them to one shape"
            )
        if self.is_record:
            self.inputs[number] = tuple(inputs[name] for name in self.inputs.dtype.names or ())
        else:
            (self.inputs[number],) = inputs.values()
        self.targets[number] = target

    def whole(self) -> Images:
        """Return all samples."""
        return Images(self.inputs, self.targets)


def _kind(array: NDArray[Any]) -> str:
    """Return type and shape, for messages."""
    return f"{array.dtype} {array.shape}"


def class_names(parts: Sequence[Images]) -> list[str]:
    """Return numbers as names: of the classes, or of the numbers to predict."""
    first = parts[0].labels
    if first.dtype.kind == "f":
        return [str(number) for number in range(first.shape[1] if first.ndim > 1 else 1)]
    return [str(number) for number in range(1 + max(int(part.labels.max()) for part in parts))]


def token_count(data: Images) -> int:
    """Return the size of the vocabulary by the largest token of any input; 0 if no input is tokens."""
    names = data.images.dtype.names
    inputs = [data.images] if names is None else [data.images[name] for name in names]
    tokens = [array for array in inputs if array.dtype.kind == "i" and array.ndim == 2]
    return max((1 + int(array.max()) for array in tokens), default=0)
