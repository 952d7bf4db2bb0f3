"""The batches of a split, and their augmentation as whole tensors."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from breakeven.artifacts.dataset import Images
from breakeven.artifacts.tensors import Tensors, to_tensors
from breakeven.core.errors import UserError


class Batches:
    """The batches of an epoch. Their order depends only on the seed and the epoch.

    A resumed training therefore sees the same batches as an uninterrupted one.
    """

    def __init__(
        self, data: Images, batch_size: int, *, shuffle: bool = False, seed: int = 0, drop_last: bool = False
    ) -> None:
        self.samples = data.images  # (N, ...); only those of a batch are read from their file
        self.labels = torch.from_numpy(data.labels)  # (N, ...)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last and len(self.labels) >= batch_size
        self.epoch = 0

    def __len__(self) -> int:
        whole, rest = divmod(len(self.labels), self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensors, Tensor]]:
        order = torch.arange(len(self.labels))
        if self.shuffle:
            generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
            order = torch.randperm(len(self.labels), generator=generator)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            index = order[start : start + self.batch_size]
            yield to_tensors(self.samples[index.numpy()]), self.labels[index]


def augment(
    images: Tensor, generator: torch.Generator, *, flip: bool = False, crop: int = 0, cutout: int = 0
) -> Tensor:
    """Flip and shift images of a (N, C, H, W) batch and blank squares in them, each image at random.

    Args:
        crop: pixels by which an image is shifted at most; the border is filled by reflection.
        cutout: side of the blanked square, pixels (DeVries and Taylor, 2017).
    """
    count, _, height, width = images.shape
    if crop >= min(height, width):
        raise UserError(f"crop={crop}: should be less than the image's side, {min(height, width)} pixels.")
    device = generator.device
    y, x = torch.arange(height, device=device), torch.arange(width, device=device)
    rows, columns = y.expand(count, -1), x.expand(count, -1)
    if flip:
        mirrored = torch.rand(count, 1, generator=generator, device=device) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    if crop:
        shift = torch.randint(-crop, crop + 1, (2, count, 1), generator=generator, device=device)
        rows, columns = _reflect(rows + shift[0], height), _reflect(columns + shift[1], width)
    if flip or crop:
        # One gather in the order (N, H, W, C), the memory order of channels_last.
        batch = torch.arange(count, device=device)[:, None, None]
        images = images.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    if cutout:
        centre = torch.rand(2, count, 1, generator=generator, device=device)
        inside_y = (y + 0.5 - centre[0] * height).abs() < cutout / 2  # (N, H)
        inside_x = (x + 0.5 - centre[1] * width).abs() < cutout / 2  # (N, W)
        blank = (inside_y[:, :, None] & inside_x[:, None, :])[:, None]  # (N, 1, H, W)
        images = images.masked_fill(blank, 0 if images.is_floating_point() else 128)  # about the mean
    return images


def shrink(images: Tensor, side: float) -> Tensor:
    """Return float images scaled to the share `side` of their height and width (progressive resizing)."""
    return F.interpolate(images, scale_factor=side, mode="bilinear", antialias=True) if side < 1 else images


def _reflect(index: Tensor, size: int) -> Tensor:
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index)
