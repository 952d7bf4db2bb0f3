"""The preparation of a dataset: from images or texts to tensors, splits, statistics and a manifest."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import disk_array
from breakeven.artifacts.dataset import SPLITS, DatasetManifest, Digests, Images, files_of
from breakeven.core.digests import sha256
from breakeven.core.errors import UserError
from breakeven.core.files import atomic_folder, write_json
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
    parts = splits(dataset, read)
    with atomic_folder(folder) as temporary:
        for part, chosen in parts.items():
            for file, array in zip(files_of(part), chosen.source, strict=True):
                disk_array.save_rows(temporary / file, array, chosen.rows)
        data = {
            part: Images(*(disk_array.load(temporary / file) for file in files_of(part))) for part in SPLITS
        }
        inputs, mean, std = input_facts(name, dataset, read._replace(train=data["train"]))
        manifest = DatasetManifest(
            dataset=name,
            title=dataset.title,
            classes=read.classes,
            inputs=inputs,
            mean=mean,
            std=std,
            counts={part: _counts(own, read.classes) for part, own in data.items()},
            sources=sources,
            own_test=read.test is not None,
            warnings=shared_images(read, data),
            sha256={file: sha256(temporary / file) for part in SPLITS for file in files_of(part)},
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
    elif train.images.ndim != 4:
        inputs = {"fields": {"input": [str(train.images.dtype), *train.images.shape[1:]]}}
    else:
        inputs = dict(zip(("channels", "height", "width"), train.images.shape[1:], strict=True))
        mean, std = ([], []) if read.as_they_are else statistics(train.images)
    if read.as_they_are and (dataset.mean or dataset.std):
        raise UserError(
            f"datasets.{name}: mean and std: its samples are no pixels from 0 to 255, and are taken as they "
            "are: leave both out, and normalize where the samples are made."
        )
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


class Chosen(NamedTuple):
    """Rows of a part of the source."""

    source: Images
    rows: NDArray[np.intp]


def splits(dataset: Dataset, read: RawDataset) -> dict[str, Chosen]:
    """Return train, val and test; those that the source does not have are split off its training samples.

    Raises:
        UserError: as of `split`.
    """
    for part in (read.train, read.val, read.test):
        if part is not None and part.has_classes:
            _require_known(part.labels, read.classes, dataset.title)
    train, val, test = (
        None if part is None else Chosen(part, np.arange(len(part.labels)))
        for part in (read.train, read.val, read.test)
    )
    assert train is not None
    if test is None:
        train, test = _split_off(train, dataset.test, dataset.split_seed, read.classes)
    if val is None:
        train, val = _split_off(train, dataset.validation, dataset.split_seed, read.classes)
    return dict(zip(SPLITS, (train, val, test), strict=True))


def _require_known(labels: NDArray[Any], classes: Sequence[str], title: str) -> None:
    """Refuse labels that are the number of no class."""
    odd = labels[(labels < 0) | (labels >= len(classes))]
    if len(odd):
        raise UserError(
            f"{title}: {len(odd)} labels are the number of no class, the first is {odd[0]}: there are "
            f"{len(classes)} classes, from 0 to {len(classes) - 1}."
        )


def _split_off(chosen: Chosen, share: float, seed: int, classes: Sequence[str]) -> tuple[Chosen, Chosen]:
    labels = Images(chosen.rows, chosen.source.labels[chosen.rows])  # the numbers of the rows, for the inputs
    rest, part = split(labels, share, seed, classes)
    return Chosen(chosen.source, rest.images), Chosen(chosen.source, part.images)


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
    counts = np.zeros((images.shape[1], 256), np.int64)
    for part in disk_array.parts(len(images), images):
        for channel in range(len(counts)):
            counts[channel] += np.bincount(images[part, channel].ravel(), minlength=256)
    # fsum rounds once, so the sums are equal on all processors. Dot products differ in the last bit, and
    # cache keys contain the result.
    means, deviations = [], []
    for share in counts / counts[0].sum():
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
