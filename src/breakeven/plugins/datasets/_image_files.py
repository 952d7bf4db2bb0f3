"""The files of images in a folder, or in an archive, that a dataset takes."""

import os
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO

from breakeven.core.errors import UserError
from breakeven.core.progress import track

SPLIT_FOLDERS = ("train", "val", "test")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff"}
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")
MAX_FAULTS = 5  # faults in a message, at most


def names_in(folder: Path) -> list[str]:
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
        raise UserError(f"{source}: {listed(faults, 'images')}. Restore or remove them.")
    full = {parent for name in images for parent in (name.partition("/")[0], name.rpartition("/")[0])}
    split = {name: PurePosixPath(name).parts for name in folders if not _is_hidden(name)}
    expected = {name for name, parts in split.items() if len(parts) in (1, 2) and parts[0] in SPLIT_FOLDERS}
    if empty := sorted(expected - full):
        faults = [f"{name}/ holds no image" for name in empty]
        raise UserError(
            f"{source}: {listed(faults, 'folders')} ({', '.join(sorted(IMAGE_SUFFIXES))}). "
            "Fill or remove them."
        )


def images_among(names: Sequence[str], source: Path | None = None) -> list[str]:
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


def members(
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
        rows.update(_rows(chosen := _first(images_among(names_in(source), source), most)))
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
            contents = {name: _opened(archive, files[name]) for name in images_among([*files], source)}
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


def listed(faults: Sequence[str], what: str) -> str:
    """Return the first faults, and the number of all if there are several."""
    rest = f" and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
    number = f"{len(faults)} {what}: " if len(faults) > 1 else ""
    return f"{number}{', '.join(faults[:MAX_FAULTS])}{rest}"
