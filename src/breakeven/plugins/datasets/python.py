"""A dataset of the user's own code: a `torch.utils.data.Dataset`, or any sequence of samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from breakeven.artifacts.dataset import Digests, Images
from breakeven.artifacts.disk_array import new_array
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import digest_of
from breakeven.core.named_function import named_function
from breakeven.core.progress import track
from breakeven.plugins.datasets.base import Dataset, RawDataset

A_FEW = 2000  # samples in a trial: enough to see every class


class Python(Dataset):
    """Calls the user's functions once, and keeps the samples that they give, as they are.

    A sample is a pair of inputs and target, or a mapping that has the target under a key of its own. Inputs
    are an array or tensor, a picture, or several in a tuple or mapping. All samples have the same shapes.
    """

    train: str = Field(description="MODULE:FUNCTION; it returns the training samples")
    testing: str | None = Field(
        None, description="likewise the test samples; null: `test` of them are split off"
    )
    target: str = Field("labels", description="the key of the target, where samples are mappings")
    classes: list[str] | None = Field(None, description="their names; null: numbers from 0 to the largest")
    vocabulary: int = Field(0, ge=0, description="how many tokens there are; 0: none, or the largest decides")
    files: list[str] = Field(
        default_factory=list, description="what the functions read: an edit reads it again"
    )

    def digests(self, roots: Sequence[Path]) -> Digests:
        """Return the sha256 of each file that the settings name.

        Raises:
            UserError: there is no such file.
        """
        found = {}
        for name in self.files:
            path = next((root / name for root in roots if (root / name).is_file()), Path(name))
            if not path.is_file():
                raise UserError(
                    f"{self.title}: files: {name} is neither here nor in {' or '.join(map(str, roots))}."
                )
            found[name] = digest_of(path)
        return found

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Call the functions, and return all samples.

        Raises:
            UserError: a function fails, or its samples cannot be kept in arrays.
        """
        return self._read()

    def sample(self, roots: Sequence[Path]) -> RawDataset:
        """Call the functions, and return some samples from all over."""
        return self._read(A_FEW)

    def _read(self, most: int | None = None) -> RawDataset:
        train = self._samples(self.train, "train", most)
        test = self._samples(self.testing, "testing", most) if self.testing else None
        classes = self.classes or self._class_names([part for part in (train, test) if part])
        return RawDataset(
            train, test, classes, self._tokens(train), as_they_are=train.images.dtype != np.uint8
        )

    def _samples(self, name: str, key: str, most: int | None) -> Images:
        place = f"{self.title}: {key}={name}"
        function = named_function(name, f"datasets.{key}")
        try:
            samples = function()
            chosen = range(len(samples))
            if most is not None and most < len(samples):
                chosen = range(0, len(samples), -(-len(samples) // most))
            rows: _Rows | None = None
            for row, number in enumerate(track(f"{self.title}: reading", chosen)):
                inputs, target = self._pair(samples[number])
                rows = rows or _Rows(len(chosen), inputs, target)
                rows.put(row, inputs, target)
        except _Uneven as error:
            raise UserError(f"{place}: samples differ in {error}: pad or crop them to one shape.") from None
        except UserError:
            raise
        except Exception as error:  # of the user's code
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip(".: ")
            raise UserError(f"{place}: it failed ({reason}).") from None
        if rows is None:
            raise UserError(f"{place}: gives no samples.")
        return rows.whole()

    def _pair(self, sample: Any) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
        """Return the inputs of a sample by name, and its target."""
        if isinstance(sample, Mapping):
            inputs: Any = {key: value for key, value in sample.items() if key != self.target}
            target = sample[self.target]
        else:
            inputs, target = sample
        if isinstance(inputs, Mapping):
            named = {str(key): _array(value) for key, value in inputs.items()}
        elif isinstance(inputs, tuple | list):
            named = {f"input{number}": _array(value) for number, value in enumerate(inputs)}
        else:
            named = {"images": _array(inputs)}
        return named, _array(target)

    def _class_names(self, parts: Sequence[Images]) -> list[str]:
        first = parts[0].labels
        if first.dtype.kind == "f":
            return [str(number) for number in range(first.shape[1] if first.ndim > 1 else 1)]
        return [str(number) for number in range(1 + max(int(part.labels.max()) for part in parts))]

    def _tokens(self, data: Images) -> int:
        """Return the size of the vocabulary; 0 if the inputs are no tokens."""
        if self.vocabulary or data.images.dtype.names:
            return self.vocabulary
        is_tokens = data.images.dtype.kind == "i" and data.images.ndim == 2
        return 1 + int(data.images.max()) if is_tokens else 0


def _array(value: Any) -> NDArray[Any]:
    """Return a value as an array: a picture as (C, H, W), doubles as float32, integers as int64."""
    if hasattr(value, "getbands"):  # a picture of PIL
        pixels = np.asarray(value)
        return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
    if array.dtype == np.float64:
        return array.astype(np.float32)
    return array.astype(np.int64) if array.dtype.kind == "i" and array.dtype != np.int64 else array


class _Uneven(Exception):
    """The samples have different shapes, types or inputs."""


class _Rows:
    """Arrays of all samples, which are as the first one."""

    def __init__(self, total: int, inputs: Mapping[str, NDArray[Any]], target: NDArray[Any]) -> None:
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
            _Uneven: it is not as the first one; the message says in what.
        """
        kinds = {**{name: _kind(array) for name, array in inputs.items()}, "target": _kind(target)}
        if odd := [name for name in {**self.kinds, **kinds} if self.kinds.get(name) != kinds.get(name)]:
            raise _Uneven(f"{odd[0]} (first {self.kinds.get(odd[0])}, number {number} {kinds.get(odd[0])})")
        if self.is_record:
            self.inputs[number] = tuple(inputs.values())
        else:
            (self.inputs[number],) = inputs.values()
        self.targets[number] = target

    def whole(self) -> Images:
        """Return all samples."""
        return Images(self.inputs, self.targets)


def _kind(array: NDArray[Any]) -> str:
    """Return type and shape, for messages."""
    return f"{array.dtype} {array.shape}"
