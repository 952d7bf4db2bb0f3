"""The 8x8 handwritten digits that scikit-learn bundles (UCI, Alpaydin and Kaynak, 1998): no download."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from breakeven.artifacts.dataset import Images
from breakeven.plugins.datasets.base import Dataset, RawDataset

SIDE = 8  # pixels of the source's images


class Digits(Dataset):
    """1,797 grey images of 8x8 pixels in 17 levels, without a test split."""

    size: int = Field(SIDE, gt=0, multiple_of=SIDE, description="height and width: each pixel is repeated")

    known: ClassVar[Mapping[str, str]] = {
        "digits.csv.gz": "sha256:09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
    }

    def facts(self) -> dict[str, int]:
        """Return the shape of the images, and the number of classes."""
        return {"channels": 1, "height": self.size, "width": self.size, "classes": 10}

    def root(self, roots: Sequence[Path]) -> Path:
        """Return the folder inside scikit-learn, without the cost of importing it."""
        spec = importlib.util.find_spec("sklearn")
        assert spec is not None and spec.submodule_search_locations, "scikit-learn is a dependency"
        return Path(spec.submodule_search_locations[0], "datasets", "data")

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Return the images, (1797, 1, size, size) uint8: levels 0 to 16 are stretched to 0 to 255."""
        rows = np.loadtxt(self.root(roots) / "digits.csv.gz", delimiter=",")  # (1797, 64 pixels + label)
        images = np.round(rows[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 1, SIDE, SIDE)
        images = images.repeat(self.size // SIDE, axis=2).repeat(self.size // SIDE, axis=3)
        return RawDataset(
            Images(images, rows[:, -1].astype(np.int64)), None, [str(digit) for digit in range(10)]
        )
