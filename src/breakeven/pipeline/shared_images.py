"""The check for images that are in two splits: a model knows them, and its accuracy on them says little.

A copy that was saved again in another quality, or scaled, has other pixels. It is found by its picture.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from breakeven.artifacts.dataset import Images
from breakeven.artifacts.inference import batches, safe_batch_size
from breakeven.core.format import counted
from breakeven.plugins.datasets.base import RawDataset

# A split -> the splits that should hold none of its images. Validation chooses the best epoch.
APART = {"test": ("train", "val"), "val": ("train",)}
CELLS = 4  # the side of the small grey picture by which images are looked up
NEAR = 5.0  # the mean difference of two pixels of a copy, at most, in levels of 0 to 255
NEAR_CELL = 3.0  # likewise of two cells, in which the differences of pixels cancel out
LEAST_SHARE = 0.01  # of the test set: large sets of photographs hold some that are nearly equal by themselves
LEAST_CONTRAST = (
    10.0  # the standard deviation of an image's pixels: flat images are alike without being copies
)
LEAST_SIDE = 16  # pixels: different images of fewer pixels may be as alike as copies


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
    return [*warnings, *_near_copies(digests, parts, files), *_contradictions(digests, parts, files)]


def _near_copies(
    digests: Mapping[str, Sequence[bytes]], parts: Mapping[str, Images], files: Mapping[bytes, str]
) -> Iterator[dict[str, str]]:
    """Yield a warning if test images are nearly equal to images of train or val, but not the same."""
    test = parts["test"].images
    if test.ndim != 4 or test.dtype != np.uint8 or min(test.shape[2:]) < LEAST_SIDE:
        return
    known = {digest for other in APART["test"] for digest in digests[other]}
    own = [number for number, digest in enumerate(digests["test"]) if digest not in known]
    found = _copies(test, [number for number in own if test[number].std() >= LEAST_CONTRAST], parts)
    if found and len(found) >= LEAST_SHARE * len(test):
        first = files.get(digests["test"][found[0]]) or f"number {found[0]}"
        text = (
            f"{len(found):,} of {len(test):,} test images are nearly equal to images of train or val (the "
            f"first is {first}), as copies are that were saved again"
        )
        remedy = (
            "look at them, and leave each picture in one split: a model remembers images that it has seen"
        )
        yield {"name": "nearly the same images", "text": text, "remedy": remedy}


def _copies(test: NDArray[np.integer[Any]], chosen: Sequence[int], parts: Mapping[str, Images]) -> list[int]:
    """Return the numbers of the chosen test images of which train or val holds a copy."""
    if not chosen:
        return []
    small, found = _small(test)[list(chosen)], set()
    for other in APART["test"]:
        images = parts[other].images
        near = cKDTree(_small(images)).query_ball_point(small, NEAR_CELL * CELLS)
        for number, candidates in zip(chosen, near, strict=True):
            image = test[number].astype(np.int16)
            if any(np.abs(image - images[each]).mean() <= NEAR for each in candidates):
                found.add(number)
    return sorted(found)


def _small(images: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Return a grey picture of `CELLS` x `CELLS` of each image, (N, CELLS ** 2)."""
    height, width = images.shape[2:]
    rows, columns = ([side * cell // CELLS for cell in range(CELLS)] for side in (height, width))
    sizes = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    small = []
    for batch in batches(images, safe_batch_size(images)):
        sums = np.add.reduceat(batch.mean(axis=1, dtype=np.float32), rows, axis=1)
        small.append((np.add.reduceat(sums, columns, axis=2) / sizes).reshape(len(batch), -1))
    return np.concatenate(small)


def _contradictions(
    digests: Mapping[str, Sequence[bytes]], parts: Mapping[str, Images], files: Mapping[bytes, str]
) -> Iterator[dict[str, str]]:
    """Yield a warning if the same image has several classes."""
    classes: dict[bytes, set[int]] = {}
    for part, data in parts.items():
        for digest, label in zip(digests[part], data.labels if data.has_classes else (), strict=False):
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
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
