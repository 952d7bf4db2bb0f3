"""Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv:1708.07747, 2017), by torchvision."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from breakeven.artifacts.dataset import Images
from breakeven.core.download import download
from breakeven.plugins.datasets.base import Dataset, RawDataset


class FashionMnist(Dataset):
    """60,000 + 10,000 grey images of 28x28 pixels in 10 classes."""

    known: ClassVar[Mapping[str, str]] = {
        "FashionMNIST/raw/train-images-idx3-ubyte": (
            "sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "FashionMNIST/raw/train-labels-idx1-ubyte": (
            "sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "FashionMNIST/raw/t10k-images-idx3-ubyte": (
            "sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "FashionMNIST/raw/t10k-labels-idx1-ubyte": (
            "sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    }

    def facts(self) -> dict[str, int]:
        """Return the shape of the images, and the number of classes."""
        return {"channels": 1, "height": 28, "width": 28, "classes": 10}

    def download(self, root: Path) -> None:
        """Download the archives, which torchvision checks and unpacks."""
        from torchvision.datasets import FashionMNIST

        for name, _ in FashionMNIST.resources:
            addresses = [f"{mirror}{name}" for mirror in FashionMNIST.mirrors]
            download(addresses, root / "FashionMNIST/raw" / name)
        FashionMNIST(str(root), download=True)

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Return the images in the order of the source, (N, 1, 28, 28) uint8."""
        from torchvision.datasets import FashionMNIST

        root = str(self.root(roots))
        parts = [FashionMNIST(root, train=train) for train in (True, False)]
        train, test = (Images(part.data.unsqueeze(1).numpy(), part.targets.numpy()) for part in parts)
        return RawDataset(train, test, list(parts[0].classes))
