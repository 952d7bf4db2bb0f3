"""Arrays and lists of numbers as samples of a model, checked before they take memory."""

import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.model_manifest import FieldsInput, ImageInput, Input, TextInput
from breakeven.artifacts.records import join
from breakeven.artifacts.varying import VaryingDimension, require_within
from breakeven.core.errors import UserError
from breakeven.serving.refusal import BAD, TOO_LARGE, Refused
from breakeven.serving.settings import Limits


def array_of(body: bytes) -> NDArray[Any]:
    """Return the array in a `.npy` file, whose header may claim any size."""
    file = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format
        read = header.read_array_header_1_0 if version == (1, 0) else header.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception:
        raise Refused(BAD, "The header of the .npy file cannot be read: write it by numpy.save.") from None
    if dtype.hasobject or dtype.kind not in "uifb":
        raise Refused(BAD, f"The .npy file holds {dtype}: send numbers.")
    claimed, there = math.prod(shape) * dtype.itemsize, len(body) - file.tell()
    if claimed != there or min(shape, default=0) < 0:
        raise Refused(BAD, f"The .npy file should hold {claimed} bytes of numbers, and holds {there}.")
    file.seek(0)
    try:
        return np.asarray(np.load(file, allow_pickle=False))
    except (ValueError, OverflowError):
        raise Refused(BAD, "The .npy file cannot be read: write it by numpy.save.") from None


def numbers_of(body: bytes, shape: Input) -> list[NDArray[Any]]:
    """Return the array of each input that JSON holds."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(BAD, "The body begins like JSON, and is none.") from None
    inputs = values.get("inputs") if isinstance(values, dict) else values
    if not isinstance(shape, FieldsInput):
        return [_listed(inputs, "")]
    if not isinstance(inputs, dict) or {*inputs} != {*shape.fields}:
        raise Refused(BAD, f'The model takes {", ".join(shape.fields)}: send {{"inputs": {{NAME: [...]}}}}.')
    return [_listed(inputs[name], name) for name in shape.fields]


def _listed(values: Any, name: str) -> NDArray[Any]:
    try:
        if isinstance(values, list):
            return np.asarray(values, np.float64)  # of words NumPy would make an array as wide as the longest
    except (ValueError, TypeError, OverflowError):
        pass
    where = f" of {name}" if name else ""
    raise Refused(BAD, f"The JSON{where} has no lists of numbers of one length: [[1, 2, 3]].")


def checked(
    arrays: list[NDArray[Any]], shape: Input, limits: Limits, varying: Sequence[VaryingDimension]
) -> NDArray[Any]:
    """Return the arrays of a request as the samples of a model."""
    if not isinstance(shape, FieldsInput):
        samples = _typed(_sized(arrays[0], 0, shape.sample, limits, varying), shape)
        return _together(samples, varying)
    if len(arrays) != len(shape.fields):
        raise Refused(BAD, f"The model takes {', '.join(shape.fields)}: send them as JSON.")
    fields = {}
    for number, (array, (name, (kind, *sample))) in enumerate(zip(arrays, shape.fields.items(), strict=True)):
        sized, dtype = _sized(array, number, tuple(sample), limits, varying), np.dtype(kind)
        if dtype.kind == "f":
            with np.errstate(over="ignore"):
                fields[name] = _finite(sized.astype(dtype))
        else:
            largest = 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)
            most = min(shape.vocabulary - 1, largest) if shape.vocabulary else largest
            fields[name] = _whole(sized, most, name).astype(dtype)
    if len({len(array) for array in fields.values()}) > 1:
        raise Refused(BAD, "The inputs have different numbers of samples.")
    return _together(join(fields), varying)


def _together(samples: NDArray[Any], varying: Sequence[VaryingDimension]) -> NDArray[Any]:
    """Return samples whose sizes go together."""
    try:
        require_within(samples, varying)
    except UserError as error:
        raise Refused(BAD, f"{str(error)[0].upper()}{str(error)[1:]}") from None
    return samples


def _finite(array: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(array).all():
        raise Refused(BAD, "The array holds numbers that are not finite, or too large.")
    return array


def _sized(
    array: NDArray[Any],
    number: int,
    sample: tuple[int, ...],
    limits: Limits,
    varying: Sequence[VaryingDimension],
) -> NDArray[Any]:
    """Return an array as (N, ...), of the sizes that the input `number` of the model may have."""
    array = array[None] if array.ndim == len(sample) else array
    open_axes = {axis: one for one in varying if (axis := one.axis_of(number)) is not None}
    fits = array.ndim == len(sample) + 1 and all(
        open_axes[axis].has(size) if axis in open_axes else size == sample[axis]
        for axis, size in enumerate(array.shape[1:])
    )
    if not fits or not array.size:
        wanted = " x ".join(str(open_axes.get(axis, size)) for axis, size in enumerate(sample))
        raise Refused(BAD, f"The array is {' x '.join(map(str, array.shape))}: the model takes N x {wanted}.")
    if len(array) > limits.samples:
        raise Refused(TOO_LARGE, f"The request has {len(array)} samples, and may have {limits.samples}.")
    return _finite(array)


def _typed(array: NDArray[Any], shape: Input) -> NDArray[Any]:
    """Return an array in the type of a model's only input."""
    if isinstance(shape, ImageInput):
        return _whole(array, 255, "Pixels").astype(np.uint8)
    if isinstance(shape, TextInput):
        return _whole(array, shape.vocabulary - 1, "Tokens").astype(np.int64)
    with np.errstate(over="ignore"):
        return _finite(array.astype(np.float32))


def _whole(array: NDArray[Any], most: int, what: str) -> NDArray[Any]:
    is_broken = array.dtype.kind == "f" and bool((array != np.floor(array)).any())
    if is_broken or array.min() < 0 or array.max() > most:
        held = f"{array.min():g} to {array.max():g}{', with fractions' if is_broken else ''}"
        raise Refused(BAD, f"{what} are whole numbers from 0 to {most}: the array holds {held}.")
    return array
