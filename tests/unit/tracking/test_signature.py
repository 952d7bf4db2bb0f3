"""The signature of a registered model: which inputs MLflow lets through to it."""

from dataclasses import asdict

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models.utils import _enforce_schema

from breakeven.artifacts import records
from breakeven.artifacts.varying import VaryingDimension
from breakeven.tracking.model_registry import signature

LOGITS = np.zeros((2, 3), np.float32)


def test_only_a_size_that_varies_is_open() -> None:
    images = np.zeros((2, 1, 8, 8), np.uint8)
    height = asdict(VaryingDimension("height", 4, 16, 1, ((0, 1),)))
    inputs = signature(images, LOGITS, [height]).inputs
    assert [spec.shape for spec in inputs.inputs] == [(-1, 1, -1, 8)]
    _enforce_schema(np.zeros((5, 1, 12, 8), np.uint8), inputs)
    with pytest.raises(MlflowException, match="Shape of input"):
        _enforce_schema(np.zeros((5, 1, 12, 12), np.uint8), inputs)


def test_each_of_several_inputs_has_its_own_open_sizes() -> None:
    tokens = np.zeros((2, 7), np.int64)
    given = records.join({"picture": np.zeros((2, 3, 4, 4), np.float32), "tokens": tokens})
    length = asdict(VaryingDimension("length", 1, 9, 1, ((1, 0),)))
    shapes = {spec.name: spec.shape for spec in signature(given, LOGITS, [length]).inputs.inputs}
    assert shapes == {"picture": (-1, 3, 4, 4), "tokens": (-1, -1)}
