"""The diabetes table that scikit-learn bundles (Efron and others, 2004): ten numbers, and what to predict."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from breakeven.artifacts.dataset import Images
from breakeven.plugins.datasets.base import Dataset, RawDataset

FEATURES, TARGET = "diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"


class Diabetes(Dataset):
    """442 patients: age, sex, body mass index, blood pressure and six blood values; without a test split."""

    known: ClassVar[Mapping[str, str]] = {
        FEATURES: "sha256:7fc0ded571454b1982210d3bb43f0aca44eae01a0b8654a3b24022bdb6b38009",
        TARGET: "sha256:8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803",
    }

    def facts(self) -> dict[str, int]:
        """Return the number of features, and of numbers to predict."""
        return {"features": 10, "classes": 1}

    def root(self, roots: Sequence[Path]) -> Path:
        """Return the folder inside scikit-learn, without the cost of importing it."""
        spec = importlib.util.find_spec("sklearn")
        assert spec is not None and spec.submodule_search_locations, "scikit-learn is a dependency"
        return Path(spec.submodule_search_locations[0], "datasets", "data")

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Return the features, (442, 10) float32, and how far the disease went in a year, (442,) float32."""
        root = self.root(roots)
        features, target = (np.loadtxt(root / name, dtype=np.float32) for name in (FEATURES, TARGET))
        return RawDataset(Images(features, target), None, ["progression"])
