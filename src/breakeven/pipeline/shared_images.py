"""The check for images that are in two splits: a model knows them, and its accuracy on them says little."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.dataset import Images
from breakeven.core.format import counted
from breakeven.plugins.datasets.base import RawDataset

# A split -> the splits that should hold none of its images. Validation chooses the best epoch.
APART = {"test": ("train", "val"), "val": ("train",)}


def shared_images(raw: RawDataset, parts: Mapping[str, Images]) -> list[dict[str, str]]:
    """Return a warning, with name, text and remedy, for each split that shares images with an earlier one.

    Images are the same if all their pixels are.

    Args:
        raw: the dataset as its source has it, which knows the names of files.
        parts: train, val and test after the split.
    """
    digests = {part: [_digest(image) for image in data.images] for part, data in parts.items()}
    files = dict(_files(raw))
    warnings = []
    for part, others in APART.items():
        sharing = [other for other in others if not set(digests[part]).isdisjoint(digests[other])]
        known = {digest for other in sharing for digest in digests[other]}
        if same := [number for number, digest in enumerate(digests[part]) if digest in known]:
            first = files.get(digests[part][same[0]]) or f"number {same[0]}"
            counts = f"{len(same):,} of {len(digests[part]):,} {part} images"
            text = f"{counts} are in {' and '.join(sharing)}, too (the first is {first})"
            remedy = f"remove them from {' and '.join(sharing)}: a model remembers images that it has seen"
            warnings.append({"name": "same images", "text": text, "remedy": remedy})
    return [*warnings, *_contradictions(digests, parts, files)]


def _contradictions(
    digests: Mapping[str, Sequence[bytes]], parts: Mapping[str, Images], files: Mapping[bytes, str]
) -> Iterator[dict[str, str]]:
    """Yield a warning if the same image has several classes."""
    classes: dict[bytes, set[int]] = {}
    for part, data in parts.items():
        for digest, label in zip(digests[part], data.labels, strict=True):
            classes.setdefault(digest, set()).add(int(label))
    if several := [digest for digest, labels in classes.items() if len(labels) > 1]:
        first = files.get(several[0])
        which = f" (the first is {first})" if first else ""
        text = f"{counted(len(several), 'image')} in several classes{which}"
        remedy = "leave each image in the folder of one class: no model can be right about it"
        yield {"name": "several classes", "text": text, "remedy": remedy}


def _files(raw: RawDataset) -> Iterator[tuple[bytes, str]]:
    """Yield the digest and the name of each file; of equal images, that of the test set comes last."""
    for part, data in (("train", raw.train), ("val", raw.val), ("test", raw.test)):
        if data is not None and raw.names.get(part):
            yield from zip(map(_digest, data.images), raw.names[part], strict=True)


def _digest(image: NDArray[np.integer[Any]]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
