"""Drawn shapes on noise, with the class of each pixel: a small segmentation that needs no download."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from breakeven.artifacts.dataset import Images
from breakeven.plugins.datasets.base import Dataset, RawDataset

CLASSES = ["background", "disc", "square", "cross"]


class Shapes(Dataset):
    """`count` pictures of one to three shapes each; a later shape covers an earlier one."""

    count: int = Field(gt=9, description="pictures in all splits")
    size: int = Field(gt=15, description="height and width, pixels")

    def facts(self) -> dict[str, int]:
        """Return the shape of the pictures, and the number of classes."""
        return {"channels": 3, "height": self.size, "width": self.size, "classes": len(CLASSES)}

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Draw the pictures, (count, 3, size, size) uint8, and their masks, (count, size, size) int64."""
        draw = np.random.default_rng(self.split_seed)
        pictures = draw.integers(0, 120, (self.count, 3, self.size, self.size))
        masks = np.zeros((self.count, self.size, self.size), np.int64)
        for picture, mask in zip(pictures, masks, strict=True):
            for _ in range(draw.integers(1, 4)):
                kind = int(draw.integers(1, len(CLASSES)))
                inside = _inside(kind, self.size, draw)
                mask[inside] = kind
                picture[:, inside] = draw.integers(120, 256, (3, 1))
        return RawDataset(Images(pictures.astype(np.uint8), masks), None, CLASSES)


def _inside(kind: int, size: int, draw: np.random.Generator) -> NDArray[np.bool_]:
    """Return which pixels a shape of random place and extent covers, (size, size)."""
    row, column = draw.integers(size // 4, 3 * size // 4, 2)
    extent = int(draw.integers(size // 8, size // 4))
    down, right = np.abs(np.arange(size)[:, None] - row), np.abs(np.arange(size) - column)
    if CLASSES[kind] == "disc":
        covered: NDArray[np.bool_] = down**2 + right**2 <= extent**2
    elif CLASSES[kind] == "square":
        covered = (down <= extent) & (right <= extent)
    else:
        covered = ((down <= extent // 3) & (right <= extent)) | ((down <= extent) & (right <= extent // 3))
    return covered
