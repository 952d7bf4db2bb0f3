"""CIFAR-10 (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009), by torchvision."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from breakeven.artifacts.dataset import Images
from breakeven.core.download import download
from breakeven.plugins.datasets.base import Dataset, RawDataset

BATCHES_FOLDER = "cifar-10-batches-py"


class Cifar10(Dataset):
    """50,000 + 10,000 colour images of 32x32 pixels in 10 classes."""

    # The md5 sums that the dataset's authors publish and torchvision checks.
    known: ClassVar[Mapping[str, str]] = {
        f"{BATCHES_FOLDER}/data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
        f"{BATCHES_FOLDER}/data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
        f"{BATCHES_FOLDER}/data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
        f"{BATCHES_FOLDER}/data_batch_4": "md5:634d18415352ddfa80567beed471001a",
        f"{BATCHES_FOLDER}/data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
        f"{BATCHES_FOLDER}/test_batch": "md5:40351d587109b95175f43aff81a1287e",
        f"{BATCHES_FOLDER}/batches.meta": "md5:5ff9c542aee3614f3951f8cda6e48888",
    }

    def facts(self) -> dict[str, int]:
        """Return the shape of the images, and the number of classes."""
        return {"channels": 3, "height": 32, "width": 32, "classes": 10}

    def download(self, root: Path) -> None:
        """Download the archive, which torchvision checks and unpacks."""
        from torchvision.datasets import CIFAR10

        download([CIFAR10.url], root / CIFAR10.filename)
        CIFAR10(str(root), download=True)

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Return the images in the order of the source, (N, 3, 32, 32) uint8."""
        from torchvision.datasets import CIFAR10

        root = str(self.root(roots))
        parts = [CIFAR10(root, train=train) for train in (True, False)]
        train, test = (
            Images(np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)), np.array(part.targets, np.int64))
            for part in parts
        )
        return RawDataset(train, test, list(parts[0].classes))
