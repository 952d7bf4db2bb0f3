"""A user's own images, `train/CLASS/NAME`, with or without `val/` and `test/`, in a folder or an archive."""

import io
import os
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field

from breakeven.artifacts.dataset import Digests, Images
from breakeven.artifacts.disk_array import new_array
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import digest_of
from breakeven.core.progress import track
from breakeven.plugins.datasets.base import Dataset, RawDataset

SPLIT_FOLDERS = ("train", "val", "test")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff"}
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")
MAX_FAULTS = 5  # faults in a message, at most
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
            names = track(f"{self.title}: checking", _chosen(_names(source)))
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
        for name, content in _members(source, f"{self.title}: reading", rows, most):
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
            raise UserError(f"{source}: {_listed(undecodable, 'images')}. Replace or remove them.")
        labels = {part: [name.split("/")[1] for name in rows if rows[name][0] == part] for part in images}
        classes = sorted({*labels.get("train", ())})
        if len(classes) < 2:
            raise UserError(
                f"{source} needs train/CLASS/*.png or *.jpg of at least two classes, and has "
                f"{classes or 'none'}. Put a folder for each class into train/."
            )
        for part in SPLIT_FOLDERS[1:]:
            if part in images and (odd := {*labels[part]} ^ {*classes}):
                listed = ", ".join(sorted(odd))
                raise UserError(f"{source}: train/ and {part}/ have different classes: {listed}.")
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


def _rows(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return name -> split and row in it, sorted by class and name.

    An archive keeps its members in any order, and splits must not depend on the order.
    """
    counts: Counter[str] = Counter()
    rows = {}
    for name in sorted(names, key=lambda name: (*name.split("/")[:2], name)):
        part = name.partition("/")[0]
        rows[name] = (part, counts[part])
        counts[part] += 1
    return rows


def _reason(error: Exception) -> str:
    """Return why an image cannot be decoded, without the address of Pillow's buffer."""
    return "no image" if isinstance(error, UnidentifiedImageError) else str(error)


def _listed(faults: Sequence[str], what: str) -> str:
    """Return the first faults, and the number of all if there are several."""
    rest = f" and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
    number = f"{len(faults)} {what}: " if len(faults) > 1 else ""
    return f"{number}{', '.join(faults[:MAX_FAULTS])}{rest}"


def _names(folder: Path) -> list[str]:
    """Return the paths of all files below a folder; at the depth of images also in linked folders.

    Raises:
        UserError: an image or a class would be missing from them.
    """
    is_file = dict(sorted(_walk(folder), key=lambda found: found[0].split("/")))
    files = [name for name, is_one in is_file.items() if is_one]
    others = [name for name, is_one in is_file.items() if not is_one]
    images = {name for name in files if _wanted(name)}
    _require_whole(folder, [name for name in others if _wanted(name)], others, images)
    return files


def _walk(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield the path of everything below a folder, and whether it is a file."""
    queue = [""]
    while queue:
        prefix = queue.pop()
        with suppress(PermissionError), os.scandir(folder / prefix) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                yield name, entry.is_file()
                # A link above the images may lead to a folder; one below them might lead back.
                if entry.is_dir() and (name.count("/") < 2 or not entry.is_symlink()):
                    queue.append(f"{name}/")


def _require_whole(
    source: Path, lost: Sequence[str], folders: Iterable[str], images: Collection[str]
) -> None:
    """Refuse a source that names an image or a class which it does not hold.

    Args:
        lost: paths of images that are no files.
        folders: paths of all folders, and of links to nothing.
        images: paths of all images.

    Raises:
        UserError: it names the first few.
    """
    if lost:
        faults = [f"{name} is a link to nothing, or a folder" for name in lost]
        raise UserError(f"{source}: {_listed(faults, 'images')}. Restore or remove them.")
    full = {parent for name in images for parent in (name.partition("/")[0], name.rpartition("/")[0])}
    split = {name: PurePosixPath(name).parts for name in folders if not _is_hidden(name)}
    expected = {name for name, parts in split.items() if len(parts) in (1, 2) and parts[0] in SPLIT_FOLDERS}
    if empty := sorted(expected - full):
        faults = [f"{name}/ holds no image" for name in empty]
        raise UserError(
            f"{source}: {_listed(faults, 'folders')} ({', '.join(sorted(IMAGE_SUFFIXES))}). "
            "Fill or remove them."
        )


def _chosen(names: Sequence[str], source: Path | None = None) -> list[str]:
    """Return the names that are images.

    Args:
        source: the folder or archive, for a message about the files that are left out; None: no message.
    """
    chosen = [name for name in names if _wanted(name)]
    seen = [name for name in names if not _is_hidden(name)]
    if source and (rest := sorted({*seen} - {*chosen})):
        print(
            f"{source}: {len(rest)} files are left out, the first is {rest[0]}: an image is "
            f"{'|'.join(SPLIT_FOLDERS)}/CLASS/NAME, and ends in {', '.join(sorted(IMAGE_SUFFIXES))}",
            file=sys.stderr,
        )
    return chosen


def _first(names: Iterable[str], most: int | None) -> list[str]:
    """Return the first names of each class; all without a limit."""
    counts: Counter[str] = Counter()
    chosen = []
    for name in sorted(names):
        label = name.rpartition("/")[0]
        counts[label] += 1
        if most is None or counts[label] <= most:
            chosen.append(name)
    return chosen


def _members(
    source: Path, title: str, rows: dict[str, tuple[str, int]], most: int | None
) -> Iterator[tuple[str, bytes]]:
    """Yield each image's name, from train/, val/ or test/ on, and its content.

    Args:
        title: the name of the progress line.
        rows: gets the split and the row of each image, before the first is yielded.
        most: images of each class; None for all.

    Raises:
        UserError: the archive is damaged, or holds an image twice.
    """
    if source.is_dir():
        rows.update(_rows(chosen := _first(_chosen(_names(source), source), most)))
        for name in track(title, chosen):
            yield name, (source / name).read_bytes()
        return
    if not source.name.endswith(ARCHIVE_SUFFIXES):
        raise UserError(f"{source} is neither a folder nor a tar archive ({', '.join(ARCHIVE_SUFFIXES)}).")
    try:
        with tarfile.open(source) as archive:
            # An archive may hold the tree below one folder of its own.
            everything = archive.getmembers()
            members = [("/".join(PurePosixPath(m.name).parts[-3:]), m) for m in everything if not m.isdir()]
            count = Counter(name for name, _ in members if _wanted(name))
            if duplicates := [name for name, times in count.items() if times > 1]:
                raise UserError(f"{source}: it holds {duplicates[0]} twice, in different folders.")
            files = dict(members)
            contents = {name: _opened(archive, files[name]) for name in _chosen([*files], source)}
            lost = [name for name, file in contents.items() if file is None]
            # A link to a class folder is a member, too; the images behind it are not.
            folders = [_from_part(m.name) for m in everything if not m.isreg()]
            _require_whole(source, lost, folders, contents.keys())
            rows.update(_rows(_first(contents, most)))
            for name in track(title, sorted(rows, key=lambda n: files[n].offset)):
                file = contents[name]
                assert file is not None
                yield name, file.read()
            _require_end(archive)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{source} cannot be read ({error}): the archive is truncated or damaged.") from None


def _from_part(name: str) -> str:
    """Return the path of a part or of a class folder in an archive, without the folders around the parts."""
    parts = PurePosixPath(name).parts
    return parts[-1] if parts[-1:] and parts[-1] in SPLIT_FOLDERS else "/".join(parts[-2:])


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """Return the content of a file, or of the file that a link leads to; None if it leads to nothing."""
    try:
        return archive.extractfile(member)
    except KeyError:
        return None


def _require_end(archive: tarfile.TarFile) -> None:
    """Refuse an archive without an end mark: tarfile takes a damaged header for the end.

    Raises:
        tarfile.ReadError: there is none.
    """
    stream = archive.fileobj
    assert stream is not None
    stream.seek(archive.offset)
    if stream.read(512) != bytes(512):
        raise tarfile.ReadError("no end mark")
    while stream.read(1 << 20):  # gzip verifies its checksum at the end
        pass


def _wanted(name: str) -> bool:
    parts = name.split("/")
    fits = len(parts) == 3 and parts[0] in SPLIT_FOLDERS and not _is_hidden(name)
    return fits and PurePosixPath(parts[2]).suffix.lower() in IMAGE_SUFFIXES


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or "/." in name
