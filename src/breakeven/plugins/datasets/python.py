"""A dataset of the user's own code: a `torch.utils.data.Dataset`, or any sequence of samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from breakeven.artifacts.dataset import Digests, Images
from breakeven.core.digests import digest_of
from breakeven.core.errors import UserError
from breakeven.core.named_function import function_name, named_function
from breakeven.core.progress import track
from breakeven.plugins.datasets._samples import OddSamples, SampleRows, as_array, class_names, token_count
from breakeven.plugins.datasets.base import Dataset, RawDataset

A_FEW = 20_000  # samples in a trial: enough to see every class and token


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

    _names = field_validator("train", "testing")(function_name)

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
        classes = self.classes or class_names([part for part in (train, test) if part])
        return RawDataset(
            train,
            test,
            classes,
            self.vocabulary or max(token_count(part) for part in (train, test) if part),
            as_they_are=train.images.dtype != np.uint8,
        )

    def _samples(self, name: str, key: str, most: int | None) -> Images:
        place = f"{self.title}: {key}={name}"
        function = named_function(name, f"datasets.{key}")
        try:
            samples = function()
            if not hasattr(samples, "__len__"):  # a generator
                samples = list(samples)
            chosen = range(len(samples))
            if most is not None and most < len(samples):
                chosen = range(0, len(samples), -(-len(samples) // most))
            rows: SampleRows | None = None
            for row, number in enumerate(track(f"{self.title}: reading", chosen)):
                inputs, target = self._pair(samples[number])
                rows = rows or SampleRows(len(chosen), inputs, target)
                rows.put(row, inputs, target)
        except OddSamples as error:
            raise UserError(f"{place}: {error}.") from None
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
            if self.target not in sample:
                raise OddSamples(f"a sample has no {self.target!r}, only {', '.join(map(str, sample))}")
            inputs: Any = {key: value for key, value in sample.items() if key != self.target}
            target = sample[self.target]
        else:
            if not isinstance(sample, tuple | list) or len(sample) != 2:
                raise OddSamples(
                    f"a sample is a {type(sample).__name__}: return pairs of inputs and target, or mappings"
                )
            inputs, target = sample
        if isinstance(inputs, Mapping):
            named = {str(key): as_array(value) for key, value in inputs.items()}
        elif isinstance(inputs, tuple | list):
            named = {f"input{number}": as_array(value) for number, value in enumerate(inputs)}
        else:
            named = {"images": as_array(inputs)}
        return named, as_array(target)
