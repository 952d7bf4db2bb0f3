"""Dimensions of a model's inputs that differ from call to call, such as the length of a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.model_manifest import FieldsInput, ImageInput, Input, ModelManifest, TextInput
from breakeven.artifacts.records import fields_of, join
from breakeven.core.errors import UserError

# Of a sample, by the name of the dimension
AXES = {ImageInput: {"height": 1, "width": 2}, TextInput: {"length": 0}}
Sizes = Mapping[str, int]  # name of a dimension -> size


@dataclass(frozen=True)
class VaryingDimension:
    """One dimension, which several inputs may share, and the sizes that it may have."""

    name: str
    least: int
    most: int
    step: int  # every size is a multiple of it
    axes: tuple[tuple[int, int], ...]  # number of an input, and the axis of its samples

    def axis_of(self, number: int) -> int | None:
        """Return the axis of the samples of an input; None if the input does not have this dimension."""
        return dict(self.axes).get(number)

    def has(self, size: int) -> bool:
        """Return whether the dimension may have this size."""
        return self.least <= size <= self.most and size % self.step == 0

    def __str__(self) -> str:
        steps = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{self.name} {self.least} to {self.most}{steps}"


def from_manifest(varying: Sequence[Mapping[str, Any]]) -> tuple[VaryingDimension, ...]:
    """Return the dimensions that a manifest holds."""
    return tuple(
        VaryingDimension(**{**one, "axes": tuple((number, axis) for number, axis in one["axes"])})
        for one in varying
    )


def dimensions_of(card: ModelManifest) -> tuple[VaryingDimension, ...]:
    """Return the dimensions of a model's inputs that vary."""
    return from_manifest(card.varying)


def dimensions(
    settings: Mapping[str, Mapping[str, Any]], shape: Input, place: str
) -> tuple[VaryingDimension, ...]:
    """Return the dimensions of inputs of `shape` that vary by a family's settings.

    Args:
        settings: name of a dimension -> `least`, `most`, `step`, and for several inputs `inputs` and `axis`.
        place: the dotted key of the settings, for messages.

    Raises:
        UserError: the inputs have no such dimension, or the dataset's own size is not among its sizes.
    """
    found: list[VaryingDimension] = []
    for name, chosen in settings.items():
        key = f"{place}.{name}"
        axes = _axes(name, chosen, shape, key)
        one = VaryingDimension(name, chosen["least"], chosen["most"], chosen["step"], axes)
        if taken := [other.name for other in found if {*other.axes} & {*axes}]:
            raise UserError(f"{key}: is the same axis of the same input as {taken[0]}: leave one out.")
        own = [_samples(shape)[number][axis] for number, axis in axes]
        if len({*own}) > 1:
            raise UserError(
                f"{key}.inputs: the samples have {' and '.join(map(str, own))} there, so they do not share "
                f"one dimension: give each a name of its own."
            )
        if not one.has(own[0]):
            raise UserError(
                f"{key}: the dataset's own size is {own[0]}, which is not among {one}: it is what is timed "
                f"and scored: let `least` and `most` include it."
            )
        found.append(one)
    return tuple(found)


def require_within(samples: NDArray[Any], varying: Sequence[VaryingDimension]) -> None:
    """Refuse samples of a size that no artifact was checked with, or of sizes that do not go together.

    Raises:
        UserError: it names the size, and those that are allowed.
    """
    shapes = [array.shape for array in fields_of(samples)]
    for one in varying:
        if short := [shapes[number] for number, axis in one.axes if len(shapes[number]) <= axis + 1]:
            raise UserError(f"an input of shape {short[0]} has no {one.name}: give a batch of samples.")
        found = list(dict.fromkeys(shapes[number][axis + 1] for number, axis in one.axes))
        if len(found) > 1:
            raise UserError(f"the inputs have {one.name} {' and '.join(map(str, found))}: it should be one.")
        if not one.has(found[0]):
            raise UserError(f"the inputs have {one.name} {found[0]}: this artifact was made for {one}.")


def _axes(name: str, chosen: Mapping[str, Any], shape: Input, key: str) -> tuple[tuple[int, int], ...]:
    if not isinstance(shape, FieldsInput):
        if (axis := AXES.get(type(shape), {}).get(name)) is None:
            known = " or ".join(AXES.get(type(shape), {})) or "none, since a table's columns are fixed"
            raise UserError(f"{key}: is no dimension of this dataset's inputs that may vary: {known}.")
        if chosen["inputs"] or chosen["axis"]:
            raise UserError(f"{key}: `inputs` and `axis` are for samples of several inputs: leave them out.")
        return ((0, axis),)
    names = [*shape.fields]
    if not chosen["inputs"]:
        raise UserError(f"{key}.inputs: say which of the inputs have this dimension: {', '.join(names)}.")
    if odd := [each for each in chosen["inputs"] if each not in names]:
        raise UserError(f"{key}.inputs: {odd[0]!r} is none of the inputs {', '.join(names)}.")
    numbers = [names.index(each) for each in chosen["inputs"]]
    if short := [names[each] for each in numbers if len(_samples(shape)[each]) <= chosen["axis"]]:
        raise UserError(f"{key}.axis={chosen['axis']}: a sample of {short[0]} has no such axis.")
    return tuple((number, chosen["axis"]) for number in numbers)


def _samples(shape: Input) -> list[tuple[int, ...]]:
    """Return the shape of a sample of each input."""
    if isinstance(shape, FieldsInput):
        return [tuple(size) for _, *size in shape.fields.values()]
    return [shape.sample]


def extremes(varying: Sequence[VaryingDimension]) -> list[dict[str, int]]:
    """Return every combination of smallest and largest sizes; none if nothing varies."""
    names = [one.name for one in varying]
    bounds = [dict.fromkeys((one.least, one.most)) for one in varying]
    return [dict(zip(names, sizes, strict=True)) for sizes in product(*bounds)] if names else []


def resize(samples: NDArray[Any], varying: Sequence[VaryingDimension], sizes: Sizes) -> NDArray[Any]:
    """Return samples of other sizes: cut, or repeated from their beginning.

    Args:
        samples: (N, ...), or records of several inputs.
    """
    arrays = fields_of(samples)
    for one in varying:
        for number, axis in one.axes:
            chosen = np.arange(sizes[one.name]) % arrays[number].shape[axis + 1]
            arrays[number] = np.take(arrays[number], chosen, axis + 1)
    names = samples.dtype.names
    return arrays[0] if names is None else join(dict(zip(names, arrays, strict=True)))


def words(sizes: Sizes) -> str:
    """Return sizes as messages say them: "height 8 and width 64"."""
    return " and ".join(f"{name} {size}" for name, size in sizes.items())
