"""Datasets of Hugging Face, in the layouts that `save_to_disk` and the hub have."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.plugins.datasets.base import RawDataset


def table(rows: int, kind: str) -> pyarrow.Table:
    labels = pyarrow.array([n % 2 for n in range(rows)])
    features: dict[str, Any] = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    if kind == "images":
        column = pyarrow.array([{"bytes": png(n), "path": None} for n in range(rows)])
        columns = {"image": column, "label": labels}
    elif kind == "uneven":
        columns = {"tokens": pyarrow.array([[1] * (3 + n % 2) for n in range(rows)]), "label": labels}
    elif kind == "texts":
        columns = {"tokens": pyarrow.array(["a text"] * rows), "label": labels}
    else:
        columns = {
            "tokens": pyarrow.array([[n % 7, 1, 2] for n in range(rows)]),
            "mask": pyarrow.array([[1, 1, 0]] * rows),
            "label": labels,
        }
    made = pyarrow.table(columns)
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((6, 5, 3), number, np.uint8)).save(file, "PNG")
    return file.getvalue()


def save(file: Path, rows: pyarrow.Table) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with pyarrow.OSFile(str(file), "wb") as sink, pyarrow.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=7)


@pytest.fixture(params=["save_to_disk", "one part", "hub"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """50 rows for training in two files, in each layout."""
    first, second = table(30, "tokens"), table(20, "tokens")
    if request.param == "hub":
        (tmp_path / "data").mkdir()
        parquet.write_table(first, tmp_path / "data/train-00000-of-00002.parquet")
        parquet.write_table(second, tmp_path / "data/train-00001-of-00002.parquet")
    else:
        place = tmp_path / "train" if request.param == "save_to_disk" else tmp_path
        save(place / "data-00000-of-00002.arrow", first)
        save(place / "data-00001-of-00002.arrow", second)
        save(place / "cache-1234.arrow", table(5, "tokens"))  # of a `map`, which is no part of it
    yield tmp_path


def read(folder: Path, **settings: Any) -> RawDataset:
    given = {
        "name": "hugging_face",
        "title": "mine",
        "path": str(folder),
        "inputs": ["tokens", "mask"],
        **settings,
    }
    dataset = plugin.load("datasets", given, "datasets.mine")
    assert all(len(digest) == 64 for digest in dataset.digests([folder]).values())
    found: RawDataset = dataset.read([folder])
    return found


def test_all_files_are_read_in_their_order_with_the_names_of_the_classes(folder: Path) -> None:
    found = read(folder, vocabulary=7)
    assert found.train.images.dtype.names == ("tokens", "mask") and len(found.train.labels) == 50
    assert found.train.images["tokens"][:, 0].tolist() == [n % 7 for n in [*range(30), *range(20)]]
    assert found.classes == ["cat", "dog"] and found.vocabulary == 7 and found.test is None


def test_one_column_of_tokens_is_a_text(folder: Path) -> None:
    found = read(folder, inputs=["tokens"])
    assert found.train.images.shape == (50, 3) and found.vocabulary == 7


def test_images_are_decoded_and_splits_are_kept(tmp_path: Path) -> None:
    save(tmp_path / "train/data-00000-of-00001.arrow", table(10, "images"))
    save(tmp_path / "validation/data-00000-of-00001.arrow", table(4, "images"))
    save(tmp_path / "test/data-00000-of-00001.arrow", table(6, "images"))
    found = read(tmp_path, inputs=["image"])
    assert found.train.images.shape == (10, 3, 6, 5) and not found.as_they_are
    assert found.val is not None and found.test is not None
    assert (len(found.val.labels), len(found.test.labels)) == (4, 6)
    assert found.train.images[3].max() == 3
    assert read(tmp_path, inputs=["image"], size=4).train.images.shape == (10, 3, 4, 4)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("tokens", {"inputs": ["words"]}, "has no column 'words', only tokens, mask, label"),
        ("texts", {"inputs": ["tokens"]}, "the column 'tokens' holds texts"),
        ("uneven", {"inputs": ["tokens"]}, r"samples differ in tokens .*: pad or crop them"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, kind: str, settings: dict, said: str) -> None:
    save(tmp_path / "data-00000-of-00001.arrow", table(10, kind))
    with pytest.raises(UserError, match=said):
        read(tmp_path, **settings)


def test_a_folder_without_a_training_split_is_told(tmp_path: Path) -> None:
    save(tmp_path / "test/data-00000-of-00001.arrow", table(10, "tokens"))
    with pytest.raises(UserError, match="holds no training split"):
        read(tmp_path)
