"""A user's own images, `train/CLASS/NAME`, with or without `val/` and `test/`, in a folder or an archive."""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field

from breakeven.artifacts.dataset import Digests, Images
from breakeven.artifacts.disk_array import new_array
from breakeven.core import paths
from breakeven.core.digests import digest_of
from breakeven.core.errors import UserError
from breakeven.core.progress import track
from breakeven.plugins.datasets._image_files import SPLIT_FOLDERS, images_among, listed, members, names_in
from breakeven.plugins.datasets.base import Dataset, RawDataset

A_FEW = 12  # images of a class, in a trial


class ImageFolder(Dataset):
    """Takes the sorted names of the class folders as labels."""

    path: str = Field(
        description="the folder or tar archive, below data/raw, $BREAKEVEN_DATA or the project, or absolute"
    )
    size: int | None = Field(None, gt=0, description="pixels: crop to a square and resize; None: leave as is")
    colour: Literal["rgb", "grey"] = Field("rgb", description="three channels, or one")
    sha256: str | None = Field(None, description="the digest that an archive must have")

    def facts(self) -> dict[str, int]:
        """Return the channels, and the side if images are resized; only reading tells the rest."""
        side = {"height": self.size, "width": self.size} if self.size else {}
        return {"channels": 1 if self.colour == "grey" else 3, **side}

    def source(self, roots: Sequence[Path]) -> Path:
        """Return the folder or archive.

        Raises:
            UserError: it is below none of `roots`.
        """
        return self.own_path(self.path, roots, "images")

    def digests(self, roots: Sequence[Path]) -> Digests:
        """Return the sha256 of the archive, or of every image.

        Raises:
            UserError: the archive has another digest than the settings say.
        """
        source = self.source(roots)
        if source.is_dir():
            names = track(f"{self.title}: checking", images_among(names_in(source)))
            return {name: digest_of(source / name) for name in names}
        actual = digest_of(source)
        if self.sha256 and actual != self.sha256:
            raise UserError(
                f"{source} is damaged or is another file: its sha256 is {actual[:12]}… and should be "
                f"{self.sha256[:12]}…. Replace it with the original."
            )
        return {source.name: actual}

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Decode every image, to (N, C, H, W) uint8.

        Raises:
            UserError: images are damaged or of another size, or val/ or test/ has other classes than train/.
        """
        return self._read(roots)

    def sample(self, roots: Sequence[Path]) -> RawDataset:
        """Decode the first images of each class."""
        return self._read(roots, A_FEW)

    def _read(self, roots: Sequence[Path], most: int | None = None) -> RawDataset:
        """Decode the images, at most `most` of each class."""
        source = self.source(roots)
        images: dict[str, NDArray[np.uint8]] = {}
        rows: dict[str, tuple[str, int]] = {}
        shape: tuple[int, ...] | None = None
        undecodable: list[str] = []
        for name, content in members(source, f"{self.title}: reading", rows, most):
            try:
                image = self._decode(content)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                undecodable.append(f"{name} cannot be decoded ({_reason(error)})")
                continue
            shape = shape or image.shape
            if image.shape != shape:
                raise UserError(
                    f"{source}: {name} has {image.shape[2]}x{image.shape[1]} pixels, the images before it "
                    f"{shape[2]}x{shape[1]}. Set `size` in conf/data to resize them all."
                )
            if not images:
                counts = Counter(part for part, _ in rows.values())
                images = {
                    part: new_array((count, *shape), np.uint8, paths.PREPARED)
                    for part, count in counts.items()
                }
            part, row = rows[name]
            images[part][row] = image
        if undecodable:
            raise UserError(f"{source}: {listed(undecodable, 'images')}. Replace or remove them.")
        labels = {part: [name.split("/")[1] for name in rows if rows[name][0] == part] for part in images}
        classes = sorted({*labels.get("train", ())})
        if len(classes) < 2:
            raise UserError(
                f"{source} needs train/CLASS/*.png or *.jpg of at least two classes, and has "
                f"{classes or 'none'}. Put a folder for each class into train/."
            )
        for part in SPLIT_FOLDERS[1:]:
            if part in images and (odd := {*labels[part]} ^ {*classes}):
                told = ", ".join(sorted(odd))
                raise UserError(f"{source}: train/ and {part}/ have different classes: {told}.")
        number = {name: place for place, name in enumerate(classes)}
        train, val, test = (
            Images(images[part], np.array([number[label] for label in labels[part]], np.int64))
            if part in images
            else None
            for part in SPLIT_FOLDERS
        )
        assert train is not None
        names = {part: [name for name in rows if rows[name][0] == part] for part in SPLIT_FOLDERS}
        return RawDataset(train, test, classes, val=val, names=names)

    def _decode(self, content: bytes) -> np.ndarray:
        with Image.open(io.BytesIO(content)) as file:
            if file.mode.startswith(("I", "F")):  # would be clipped, not scaled
                raise ValueError("more than 8 bits a channel")
            # The second picture of a phone's MPO is a preview, or another view of the same.
            if (frames := getattr(file, "n_frames", 1)) > 1 and file.format != "MPO":
                raise ValueError(f"{frames} pictures in one file")
            image = file.convert("L" if self.colour == "grey" else "RGB")
        if self.size:
            image = ImageOps.fit(image, (self.size, self.size), Image.Resampling.BILINEAR)
        pixels = np.asarray(image, np.uint8)  # (H, W) or (H, W, 3)
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _reason(error: Exception) -> str:
    """Return why an image cannot be decoded, without the address of Pillow's buffer."""
    return "no image" if isinstance(error, UnidentifiedImageError) else str(error)
