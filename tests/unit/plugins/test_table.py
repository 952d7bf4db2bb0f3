"""Tables of the user's own: what is read is what the file holds, and what cannot be read is told."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from image_datasets import dataset, make, refusal
from pyarrow import csv, parquet

from breakeven.artifacts import dataset as dataset_files

COLUMNS = {
    "size": [float(number) for number in range(40)],
    "rooms": [number % 5 for number in range(40)],
    "town": ["a", "b"] * 20,
    "price": [2.0 * number for number in range(40)],
}


@pytest.fixture(params=["csv", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"houses.{request.param}"
    write = csv.write_csv if request.param == "csv" else parquet.write_table
    write(pa.table(COLUMNS), path)
    return path


def test_columns_that_are_neither_target_nor_left_out_are_features(path: Path, tmp_path: Path) -> None:
    data = dataset("table", path=path.name, targets=["price"], leave_out=["town"])
    manifest = make(data, [tmp_path], tmp_path / "prepared")
    assert manifest.inputs == {"features": 2} and manifest.classes == ["price"]
    assert [sum(counts.values()) for counts in manifest.counts.values()] == [28, 4, 8]
    train = dataset_files.load_split(tmp_path / "prepared", "train")
    assert train.images.dtype == train.labels.dtype == np.float32
    assert np.array_equal(2 * train.images[:, 0], train.labels)
    assert manifest.mean == pytest.approx(train.images.mean(axis=0))
    assert manifest.std == pytest.approx(train.images.std(axis=0))


def test_a_target_of_texts_can_be_classes(path: Path, tmp_path: Path) -> None:
    data = dataset("table", path=path.name, targets=["town"], kind="classes")
    manifest = make(data, [tmp_path], tmp_path / "prepared")
    assert manifest.classes == ["a", "b"] and manifest.counts["train"] == {"a": 14, "b": 14}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"targets": ["prize"]}, "has no column 'prize'. Its columns: size, rooms, town, price."),
        ({"targets": ["price"]}, "the column town holds no numbers"),
        ({"targets": ["price", "town"], "kind": "classes"}, "takes one target column, not 2"),
        ({"targets": [*COLUMNS]}, "no column is left as a feature"),
    ],
)
def test_a_table_that_does_not_fit_is_told(path: Path, tmp_path: Path, settings: dict, said: str) -> None:
    data = dataset("table", path=path.name, **settings)
    assert said in refusal(data.read, [tmp_path])


def test_gaps_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n,3\n4,5\n")
    data = dataset("table", path="t.csv", targets=["b"])
    assert "1 of 3 values of the column a are missing" in refusal(data.read, [tmp_path])
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,\n4,y\n")
    data = dataset("table", path="t.csv", targets=["b"], kind="classes")
    assert "1 of 3 values of the column b are missing" in refusal(data.read, [tmp_path])


def test_a_file_that_is_no_table_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("a,b\n1,2\n")
    assert "cannot be read as parquet" in refusal(
        dataset("table", path="t.parquet", targets=["b"]).read, [tmp_path]
    )
    assert "not found" in refusal(dataset("table", path="u.csv", targets=["b"]).read, [tmp_path])
