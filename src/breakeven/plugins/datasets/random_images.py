"""Images of noise, for models that are measured without being trained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from breakeven.artifacts.dataset import Images
from breakeven.plugins.datasets.base import Dataset, RawDataset


class RandomImages(Dataset):
    """`count` images each for the training split, which calibrates, and the test split; all of one class."""

    channels: int = Field(gt=0, description="of each image")
    size: int = Field(gt=0, description="height and width, pixels")
    classes: int = Field(gt=1, description="outputs of the models")
    count: int = Field(gt=3, description="of images in all splits")

    def facts(self) -> dict[str, int]:
        """Return the settings themselves."""
        return {"channels": self.channels, "height": self.size, "width": self.size, "classes": self.classes}

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Draw the inputs, (count, channels, size, size) uint8; the same seed draws the same."""
        generator = np.random.default_rng(self.split_seed)
        shape = (self.count, self.channels, self.size, self.size)
        train, test = (
            Images(generator.integers(0, 256, shape, np.uint8), np.zeros(self.count, np.int64))
            for _ in range(2)
        )
        return RawDataset(train, test, [str(number) for number in range(self.classes)])
