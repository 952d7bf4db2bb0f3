"""Files that are complete or absent."""

import contextlib
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from breakeven.core.errors import UserError

UNFINISHED_SUFFIX = ".tmp"  # the end of the name of what is not finished
SCRATCH_PREFIX = "breakeven-"  # the start of the name of a temporary folder


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, and rename it to `path` if the block ends without an error.

    Remove first what killed processes left beside `path`, and an empty folder in its place.

    Raises:
        UserError: a folder with files stands in its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent, f".{path.name}.")
    if path.is_dir() and not path.is_symlink():
        try:
            path.rmdir()
        except OSError:
            raise UserError(f"{path} is a folder with files, where a file belongs: move it away.") from None

    def create() -> Path:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED_SUFFIX)
        os.close(handle)
        return Path(name)

    with _held(create) as temporary:
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, and replace `path` by it if the block ends without an error.

    Remove first what killed processes left beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(path.parent, f".{path.name}.") as temporary:
        yield temporary
        temporary.chmod(0o755)
        if path.is_symlink() or path.is_file():  # DVC can link a folder of its cache here
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
        temporary.replace(path)


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = SCRATCH_PREFIX) -> Iterator[Path]:
    """Yield an empty folder, and remove it with the block. Remove first what killed processes left.

    Args:
        parent: the folder to create it in; by default the system's folder for temporary files.
        prefix: how its name begins, and the names of what is left over.
    """
    parent = parent or Path(tempfile.gettempdir())
    remove_leftovers(parent, prefix)
    with _held(lambda: Path(tempfile.mkdtemp(dir=parent, prefix=prefix, suffix=UNFINISHED_SUFFIX))) as folder:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def leftovers(parent: Path, prefix: str = "") -> list[Path]:
    """Return the temporary files and folders in `parent` whose process is gone.

    Args:
        parent: the folder to look in.
        prefix: how their names begin.
    """
    named = (path for path in parent.glob(f"{glob.escape(prefix)}*{UNFINISHED_SUFFIX}"))
    return sorted(path for path in named if _is_free(path))


def remove_leftovers(parent: Path, prefix: str) -> None:
    """Remove the temporary files and folders in `parent` whose process is gone."""
    for path in leftovers(parent, prefix):
        remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds. Ignore what another process has removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _held(create: Callable[[], Path]) -> Iterator[Path]:
    """Yield a new file or folder with a lock on it, which ends with the block or with this process."""
    while True:
        path = create()
        with _opened(path) as descriptor:
            with contextlib.suppress(OSError):  # some network file systems lock no folders
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():  # otherwise another process removed it before it was locked
                yield path
                return


def _is_free(path: Path) -> bool:
    """Return whether no process holds the lock of a temporary file or folder of this user."""
    try:
        with _opened(path) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except OSError:  # locked, gone, or another user's
        return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create a folder of ours and its parents, in place of a file of that name."""
    for each in (*reversed(path.parents), path):
        if each.is_file():
            each.unlink()
    path.mkdir(parents=True, exist_ok=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy all files below `source` to the same names below `target`.

    Raises:
        OSError: the first file that cannot be copied; `shutil.copytree` raises an error without a number.
    """
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            shutil.copy2(path, place)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, atomically.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path, remedy: str = "delete it and run `dvc repro`") -> Any:
    """Return the JSON value in `path`.

    Args:
        path: the file.
        remedy: what to do if it is damaged.

    Raises:
        UserError: the file is missing, or is not JSON, which has neither NaN nor infinity.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `dvc repro` to make it.") from None
    except (IsADirectoryError, NotADirectoryError):
        raise UserError(f"{path} is not a file: {remedy}.") from None
    except (ValueError, RecursionError) as error:  # bytes that are no UTF-8, or no JSON
        raise UserError(f"{path} is not readable as JSON ({error}): {remedy}.") from None


def read_memory(path: Path) -> dict[str, Any]:
    """Return what earlier processes noted in one of our own files; {} if it is missing or damaged.

    A folder in the place of the file is removed, so that the file can be written again.
    """
    try:
        noted = read_json(path)
    except (UserError, OSError):
        noted = {}
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    return noted if isinstance(noted, dict) else {}


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one mapping with dotted keys; empty mappings are left out.

    Args:
        values: the nested mappings.
        prefix: a dotted prefix of all keys.
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        flat.update(flatten(value, name) if isinstance(value, Mapping) else {name: value})
    return flat
