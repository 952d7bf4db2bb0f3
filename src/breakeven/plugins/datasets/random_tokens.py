"""Texts of random tokens, for models that are measured without being trained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from breakeven.artifacts.dataset import Images
from breakeven.plugins.datasets.base import Dataset, RawDataset


class RandomTokens(Dataset):
    """`count` texts each for the training split, which calibrates, and the test split; all of one class."""

    learnable = False

    length: int = Field(gt=0, description="tokens in a text")
    vocabulary: int = Field(gt=1, description="number of different tokens")
    classes: int = Field(gt=1, description="outputs of the models")
    count: int = Field(gt=3, description="of texts in all splits")

    def facts(self) -> dict[str, int]:
        """Return the settings themselves."""
        return {"length": self.length, "vocabulary": self.vocabulary, "classes": self.classes}

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Draw the inputs, (count, length) int64; the same seed draws the same."""
        generator = np.random.default_rng(self.split_seed)
        train, test = (
            Images(
                generator.integers(0, self.vocabulary, (self.count, self.length), np.int64),
                np.zeros(self.count, np.int64),
            )
            for _ in range(2)
        )
        return RawDataset(train, test, [str(number) for number in range(self.classes)], self.vocabulary)
