"""Changed samples keep their form, and are changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from breakeven.artifacts.probe_samples import probe_samples
from breakeven.artifacts.records import fields_of, join


def filled(kind: type) -> some.SearchStrategy[np.ndarray]:
    shapes = arrays.array_shapes(min_dims=2, max_dims=4, max_side=5)
    return arrays.arrays(kind, shapes, fill=some.just(kind(0)))


@given(some.sampled_from([np.uint8, np.int64, np.float32]).flatmap(filled))
def test_each_change_keeps_shape_and_type_and_changes_something(samples: np.ndarray) -> None:
    before = samples.copy()
    for changed in probe_samples(samples).values():
        assert (changed.shape, changed.dtype) == (samples.shape, samples.dtype)
        assert not np.array_equal(changed, samples, equal_nan=True) or np.isnan(changed.astype(float)).any()
    assert np.array_equal(samples, before, equal_nan=samples.dtype.kind == "f")


BYTES = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)[:, ::-1]
NUMBERS = {"inputs of the other sign", "inputs of zeros", "inputs three times as large"}


@pytest.mark.parametrize(
    ("samples", "names"),
    [
        (BYTES, {"inverted pixels", "black images", "sorted pixels"}),
        (np.arange(6).reshape(2, 3), {"inputs in reverse"}),
        (np.ones((2, 3), np.float32), NUMBERS),
    ],
)
def test_the_changes_of_each_kind(samples: np.ndarray, names: set[str]) -> None:
    assert {*probe_samples(samples)} == names


def test_each_of_several_inputs_is_changed() -> None:
    records = join({"tokens": np.arange(6).reshape(2, 3), "price": np.ones((2, 1), np.float32)})
    changed = probe_samples(records)
    tokens, price = fields_of(changed["inputs of zeros"])
    assert np.array_equal(tokens, records["tokens"]) and not price.any()
    assert np.array_equal(fields_of(changed["inputs in reverse"])[0], records["tokens"][:, ::-1])
