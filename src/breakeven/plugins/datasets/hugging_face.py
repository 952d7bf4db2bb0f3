"""A folder of a Hugging Face dataset: as `save_to_disk` writes it, or Parquet files as the hub has them.

Nothing is downloaded, and the package `datasets` is not needed: pyarrow reads the files.
https://huggingface.co/docs/datasets/about_arrow
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from pydantic import Field

from breakeven.artifacts.dataset import Digests, Images
from breakeven.core.digests import digest_of
from breakeven.core.errors import UserError
from breakeven.core.progress import track
from breakeven.plugins.datasets._samples import OddSamples, SampleRows, as_array, class_names, token_count
from breakeven.plugins.datasets.base import Dataset, RawDataset

# Our split -> the names that datasets have for it
SPLITS = {"train": ("train",), "val": ("validation", "val", "dev"), "test": ("test",)}
BATCH = 256  # rows that are turned into Python's objects at once
A_FEW = 20_000  # rows in a trial


class HuggingFace(Dataset):
    """Takes columns of images or numbers as the inputs, and one column as the target."""

    path: str = Field(description="the folder, below data/raw, $BREAKEVEN_DATA or the project, or absolute")
    inputs: list[str] = Field(min_length=1, description="columns, in the order of the model's arguments")
    target: str = Field("label", description="the column to predict")
    size: int | None = Field(None, gt=0, description="pixels: crop images and resize them; null: as they are")
    vocabulary: int = Field(0, ge=0, description="how many tokens there are; 0: none, or the largest decides")

    def digests(self, roots: Sequence[Path]) -> Digests:
        """Return the sha256 of each file."""
        folder = self.own_path(self.path, roots, "the dataset", Path.is_dir)
        files = [file for part in SPLITS for file in _files(folder, part)]
        return {str(file.relative_to(folder)): digest_of(file) for file in files}

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Read all splits.

        Raises:
            UserError: there is no such folder or column, or samples differ in size.
        """
        return self._read(roots)

    def sample(self, roots: Sequence[Path]) -> RawDataset:
        """Read the first rows."""
        return self._read(roots, A_FEW)

    def _read(self, roots: Sequence[Path], most: int | None = None) -> RawDataset:
        folder = self.own_path(self.path, roots, "the dataset", Path.is_dir)
        if not _files(folder, "train"):
            raise UserError(
                f"{folder}: holds no training split: neither train/*.arrow, as `save_to_disk` writes it, nor "
                "train*.parquet."
            )
        parts = {part: self._split(folder, part, most) for part in SPLITS if _files(folder, part)}
        names = _class_names(_table_schema(_files(folder, "train")[0]), self.target)
        train = parts["train"]
        return RawDataset(
            train,
            parts.get("test"),
            names or class_names([*parts.values()]),
            self.vocabulary or max(map(token_count, parts.values())),
            parts.get("val"),
            as_they_are=train.images.dtype != np.uint8,
        )

    def _split(self, folder: Path, part: str, most: int | None) -> Images:
        files = _files(folder, part)
        known = _table_schema(files[0]).names
        if lost := [name for name in [*self.inputs, self.target] if name not in known]:
            raise UserError(f"{folder}: has no column {lost[0]!r}, only {', '.join(known)}.")
        total = sum(map(_length, files))
        count = total if most is None else min(most, total)
        rows: SampleRows | None = None
        try:
            samples = _rows(files, [*self.inputs, self.target])
            for number, row in zip(
                track(f"{self.title}: reading {part}", range(count)), samples, strict=False
            ):
                inputs = {name: self._value(row[name], name) for name in self.inputs}
                target = as_array(row[self.target])
                rows = rows or SampleRows(count, inputs, target)
                rows.put(number, inputs, target)
        except OddSamples as error:
            raise UserError(
                f"{folder}: samples differ in {error}: pad or crop them, or set `size`."
            ) from None
        if rows is None:
            raise UserError(f"{folder}: the split {part} is empty.")
        return rows.whole()

    def _value(self, value: Any, column: str) -> Any:
        if isinstance(value, str):
            raise UserError(
                f"{self.title}: the column {column!r} holds texts: save the dataset after a tokenizer "
                "has made numbers of them, all of one length."
            )
        if isinstance(value, dict) and "bytes" in value:
            if value["bytes"] is None:
                raise UserError(
                    f"{self.title}: {value.get('path')} is outside of the dataset's files: embed it."
                )
            with Image.open(io.BytesIO(value["bytes"])) as file:
                image = file.convert("L" if file.mode in ("1", "L") else "RGB")
            if self.size:
                image = ImageOps.fit(image, (self.size, self.size), Image.Resampling.BILINEAR)
            return as_array(image)
        return as_array(value)


def _files(folder: Path, part: str) -> list[Path]:
    """Return the files of a split, in their order; a dataset without splits counts as train."""
    for name in SPLITS[part]:
        if found := _arrow_files(folder / name):
            return found
        pattern = re.compile(rf"{name}([-_.].*)?\.parquet")
        files = [*folder.glob("*.parquet"), *folder.glob("data/*.parquet"), *folder.glob(f"{name}/*.parquet")]
        if found := sorted(
            file for file in files if pattern.fullmatch(file.name) or file.parent.name == name
        ):
            return found
    return _arrow_files(folder) if part == "train" else []


def _arrow_files(folder: Path) -> list[Path]:
    """Return the files of a saved split; beside them may lie what `map` has cached."""
    return sorted(file for file in folder.glob("*.arrow") if not file.name.startswith("cache-"))


def _table_schema(file: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    if file.suffix == ".parquet":
        return parquet.read_schema(file)
    with pyarrow.memory_map(str(file)) as source:
        return pyarrow.ipc.open_stream(source).schema


def _length(file: Path) -> int:
    import pyarrow
    from pyarrow import parquet

    if file.suffix == ".parquet":
        length: int = parquet.read_metadata(file).num_rows
        return length
    with pyarrow.memory_map(str(file)) as source:
        return sum(batch.num_rows for batch in pyarrow.ipc.open_stream(source))


def _rows(files: Sequence[Path], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield each row as a mapping, a part of a file at a time."""
    import pyarrow
    from pyarrow import parquet

    for file in files:
        if file.suffix == ".parquet":
            for batch in parquet.ParquetFile(file).iter_batches(BATCH, columns=list(columns)):
                yield from batch.to_pylist()
            continue
        with pyarrow.memory_map(str(file)) as source:
            for batch in pyarrow.ipc.open_stream(source):
                chosen = batch.select(list(columns))
                for start in range(0, batch.num_rows, BATCH):
                    yield from chosen.slice(start, BATCH).to_pylist()


def _class_names(schema: Any, target: str) -> list[str]:
    """Return the names that the dataset notes for its classes; empty if it notes none."""
    noted = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(noted)["info"]["features"] if noted else {}
    found = features.get(target) or {}
    return [str(name) for name in found.get("names", [])] if isinstance(found, dict) else []
