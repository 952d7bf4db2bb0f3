"""Prepared datasets on disk: arrays for train, val and test, and a manifest that holds their digests."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import disk_array
from breakeven.artifacts.model_manifest import Input, shape_from
from breakeven.core.digests import fingerprint, require_sha256
from breakeven.core.errors import UserError
from breakeven.core.files import read_json

SPLITS = ("train", "val", "test")
Digests = dict[str, str]  # name of a source file -> sha256


class Images(NamedTuple):
    """Inputs with their targets: images, texts as tokens, rows of a table, or several inputs.

    Samples of several inputs are records: a structured array with a field for each input.
    """

    images: NDArray[Any]  # (N, C, H, W) uint8, (N, L) int64, (N, F) float32, or (N,) records
    labels: NDArray[Any]  # classes (N,) or of pixels (N, H, W), int64; numbers (N,) or (N, K), float32

    @property
    def has_classes(self) -> bool:
        """Return whether each sample has one class."""
        return self.labels.ndim == 1 and bool(np.issubdtype(self.labels.dtype, np.integer))


@dataclass(frozen=True)
class DatasetManifest:
    """The facts about a dataset that a model needs, and the digests of its tensors."""

    dataset: str
    title: str
    classes: list[str]  # or the names of the numbers to predict
    # channels, height and width (pixels) of images; length and vocabulary of texts; features; fields
    inputs: dict[str, Any]
    mean: list[float]  # of each channel of train, in units of 0..1, or of each feature; none for texts
    std: list[float]
    counts: dict[str, dict[str, int]]  # split -> class -> images; or `samples` -> their number
    sources: Digests  # sha256 of each source file
    sha256: dict[str, str]  # file in this folder -> digest
    own_test: bool = True  # False: the test set was split off the training images
    warnings: list[dict[str, str]] = field(default_factory=list)  # each with name, text and remedy

    @property
    def digest(self) -> str:
        """Return one digest for the tensors of all splits."""
        return fingerprint(self.sha256)

    @property
    def shape(self) -> Input:
        """Return the inputs and classes, as a model's constructor takes them."""
        return shape_from({**self.inputs, "classes": len(self.classes)})


def manifest(folder: Path) -> DatasetManifest:
    """Return the manifest of a prepared dataset.

    Raises:
        UserError: the manifest is missing, or another version of Breakeven wrote it.
    """
    values: dict[str, Any] = read_json(folder / "manifest.json")
    try:
        return DatasetManifest(**values)
    except TypeError:
        raise UserError(
            f"{folder / 'manifest.json'} is of another version of Breakeven: run `dvc repro`."
        ) from None


def load_split(folder: Path, part: str) -> Images:
    """Check the sha256 of one split, and return its inputs and labels, which stay in their files.

    Args:
        folder: the folder of the dataset.
        part: "train", "val" or "test".

    Raises:
        UserError: the file is missing or was changed.
    """
    digests = manifest(folder).sha256
    paths = [folder / name for name in files_of(part)]
    if not {path.name for path in paths} <= digests.keys():
        raise UserError(f"{folder} is of another version of Breakeven: run `dvc repro`.")
    for path in paths:
        require_sha256(path, digests[path.name])
    return Images(*map(disk_array.load, paths))


def files_of(part: str) -> tuple[str, str]:
    """Return the names of a split's files: inputs and labels."""
    return f"{part}.images.npy", f"{part}.labels.npy"
