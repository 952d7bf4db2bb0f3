"""Names that MLflow refuses are changed, and two names stay two."""

import pytest
from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

from breakeven.tracking import accepted

GIVEN = [
    "model.widths.conv@1",
    "model.widths.conv#1",
    "a//b",
    "/a",
    "../a",
    "a/../b",
    "a/",
    ".",
    "..",
    "",
    "a\nb",
    "é[0]",
    "x" * 400,
    "x" * 401,
    "{a}",
]


def test_every_name_becomes_one_that_mlflow_takes() -> None:
    names = [accepted.name(given) for given in GIVEN]
    assert len({*names}) == len(GIVEN)
    for name in names:
        _validate_param_name(name)
        _validate_metric_name(name)
        _validate_tag_name(name)
        assert len(name) <= accepted.LONGEST_NAME


@pytest.mark.parametrize(
    "fine", ["train.lr", "speedup/cpu1/batch1/none/fp32/eager", "a: b", "mlflow.note.content"]
)
def test_a_name_that_mlflow_takes_stays(fine: str) -> None:
    assert accepted.name(fine) == fine


def test_a_text_can_be_stored_everywhere() -> None:
    assert accepted.text("a\0b\udcff http://me:secret@host", 100) == "ab? http://***@host"
    assert accepted.text(1.5, 2) == "1."
