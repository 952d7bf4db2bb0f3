"""The preparation of a dataset: from images or texts to tensors, splits, statistics and a manifest."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from breakeven.artifacts.dataset import SPLITS, DatasetManifest, Digests, Images, to_arrays
from breakeven.core.errors import UserError
from breakeven.core.files import atomic_folder, sha256, write_json
from breakeven.pipeline.shared_images import shared_images
from breakeven.plugins.datasets.base import Dataset, RawDataset


def prepare(
    name: str, dataset: Dataset, roots: Sequence[Path], sources: Digests, folder: Path
) -> DatasetManifest:
    """Read the source, split it, and write tensors and manifest to `folder`, whole or not at all.

    Args:
        name: the dataset's key in the configuration.
        sources: the sha256 that each source file had when it was fetched.

    Raises:
        UserError: a source file is damaged, or changed since it was fetched; a class is too small to split.
    """
    _require_same(sources, dataset.digests(roots))
    read = dataset.read(roots)
    train, val, test = read.train, read.val, read.test
    if test is None:
        train, test = split(train, dataset.test, dataset.split_seed, read.classes)
    if val is None:
        train, val = split(train, dataset.validation, dataset.split_seed, read.classes)
    inputs, mean, std = input_facts(name, dataset, read._replace(train=train))
    with atomic_folder(folder) as temporary:
        parts = dict(zip(SPLITS, (train, val, test), strict=True))
        for part, data in parts.items():
            save_file(to_arrays(data), temporary / f"{part}.safetensors")
        manifest = DatasetManifest(
            dataset=name,
            title=dataset.title,
            classes=read.classes,
            inputs=inputs,
            mean=mean,
            std=std,
            counts={part: _counts(data, read.classes) for part, data in parts.items()},
            sources=sources,
            own_test=read.test is not None,
            warnings=shared_images(read, parts),
            sha256={f"{part}.safetensors": sha256(temporary / f"{part}.safetensors") for part in SPLITS},
        )
        write_json(temporary / "manifest.json", vars(manifest))
    return manifest


def input_facts(
    name: str, dataset: Dataset, read: RawDataset
) -> tuple[dict[str, Any], list[float], list[float]]:
    """Return the sizes of a dataset's inputs, and mean and standard deviation of each channel or feature.

    Args:
        name: the dataset's key in the configuration.
        read: its training split counts.

    Raises:
        UserError: the settings give a mean or deviation of another number of channels.
    """
    train = read.train
    mean: list[float] = []
    std: list[float] = []
    inputs: dict[str, Any]
    if fields := train.images.dtype.fields:
        kinds = {name: fields[name][0] for name in train.images.dtype.names or ()}
        inputs = {"fields": {name: [str(kind.base), *kind.shape] for name, kind in kinds.items()}}
        inputs |= {"vocabulary": read.vocabulary}
    elif read.vocabulary:
        inputs = {"length": train.images.shape[1], "vocabulary": read.vocabulary}
    elif train.images.ndim == 2:
        inputs = {"features": train.images.shape[1]}
        mean, std = ([], []) if read.as_they_are else feature_statistics(train.images)
    else:
        inputs = dict(zip(("channels", "height", "width"), train.images.shape[1:], strict=True))
        mean, std = ([], []) if read.as_they_are else statistics(train.images)
    if dataset.mean is not None or dataset.std is not None:
        mean, std = dataset.mean or [], dataset.std or []
        channels = inputs.get("channels", inputs.get("features", 0))
        if not len(mean) == len(std) == channels:
            raise UserError(
                f"datasets.{name}: mean={mean} and std={std}: each should have {channels} values, one a "
                f"channel or feature, or both should be left out."
            )
    return inputs, mean, std


def describe(name: str, dataset: Dataset, read: RawDataset) -> DatasetManifest:
    """Return the facts of a dataset that a model needs, before anything is split or written."""
    inputs, mean, std = input_facts(name, dataset, read)
    return DatasetManifest(name, dataset.title, read.classes, inputs, mean, std, {}, {}, {})


def split(data: Images, share: float, seed: int, classes: Sequence[str]) -> tuple[Images, Images]:
    """Split a `share` off `data`, of each class alike. Return the rest and the share, in the source's order.

    Raises:
        UserError: a class has too few images to be in both parts, or there are too few samples.
    """
    from sklearn.model_selection import train_test_split

    stratify = data.labels if data.has_classes else None
    try:
        rest, part = train_test_split(
            np.arange(len(data.labels)), test_size=share, random_state=seed, stratify=stratify
        )
    except ValueError:
        if stratify is None:
            raise UserError(
                f"{len(data.labels)} samples cannot be split with a share of {share:g}: add some, or change "
                f"the share."
            ) from None
        counts = np.bincount(data.labels, minlength=len(classes))
        smallest = int(counts.argmin())
        raise UserError(
            f"{len(data.labels)} images of {len(classes)} classes cannot be split with a share of "
            f"{share:g}: each class needs an image in both parts. The smallest class, "
            f"{classes[smallest]!r}, has {counts[smallest]}. Add images, or change the share."
        ) from None
    rest, part = np.sort(rest), np.sort(part)
    return Images(data.images[rest], data.labels[rest]), Images(data.images[part], data.labels[part])


def statistics(images: NDArray[np.integer[Any]]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel of (N, C, H, W) images, scaled to 0..1."""
    levels = np.arange(256) / 255
    # fsum rounds once, so the sums are equal on all processors. Dot products differ in the last bit, and
    # cache keys contain the result.
    means, deviations = [], []
    for channel in range(images.shape[1]):
        share = np.bincount(images[:, channel].ravel(), minlength=256) / images[:, channel].size
        mean = math.fsum(share * levels)
        means.append(mean)
        # If all images have one colour, the deviation is zero, and normalizing would divide by it.
        deviations.append(max(math.sqrt(math.fsum(share * (levels - mean) ** 2)), 1e-3))
    return means, deviations


def feature_statistics(features: NDArray[Any]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each column of (N, F) features; 1 for a constant column."""
    means = [math.fsum(column) / len(column) for column in features.T.astype(np.float64)]
    squares = [
        math.fsum((column - mean) ** 2) / len(column)
        for column, mean in zip(features.T.astype(np.float64), means, strict=True)
    ]
    return means, [math.sqrt(square) or 1.0 for square in squares]


def _require_same(fetched: Digests, current: Digests) -> None:
    if odd := sorted(n for n in fetched.keys() | current.keys() if fetched.get(n) != current.get(n)):
        raise UserError(
            f"{odd[0]} changed while the pipeline ran ({len(odd)} files did): run `dvc repro` again."
        )


def _counts(data: Images, classes: Sequence[str]) -> dict[str, int]:
    if not data.has_classes:
        return {"samples": len(data.labels)}
    return dict(zip(classes, np.bincount(data.labels, minlength=len(classes)).tolist(), strict=True))
