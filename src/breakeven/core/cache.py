"""The cache that DVC's stages and sweeps share: finished outputs, found by a key of all their inputs."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from breakeven.core import paths
from breakeven.core.digests import fingerprint, sha256
from breakeven.core.errors import UserError
from breakeven.core.files import atomic_folder, copy_folder, flatten, make_folder, read_json, write_json
from breakeven.core.lock_holders import held_by

NOTE_FILE, FILES_FOLDER = "key.json", "files"
USED_ENTRIES_FILE = "used.json"  # beside a job's records: kind and digest of every entry that the job used
used: set[tuple[str, str]] = set()  # kind and digest of the entries that this process found or saved


@dataclass(frozen=True)
class CacheKey:
    """The key of an output: everything that decides its content (settings, digests of inputs and of code)."""

    kind: str  # "data", "model", "artifact"
    parts: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """Return a short digest of the key, for paths, manifests and tags."""
        return fingerprint(self.kind, self.parts)


@dataclass(frozen=True)
class CacheEntry:
    """One output in the cache."""

    folder: Path
    key: CacheKey
    title: str
    files: Mapping[str, str]  # name -> sha256
    megabytes: float  # 10**6 bytes

    @property
    def used(self) -> float:
        """Return when the entry was last made or used, in seconds since the epoch."""
        return (self.folder / NOTE_FILE).stat().st_mtime

    def touch(self) -> None:
        """Note that the entry was used now: `prune` removes entries that nobody used for long."""
        os.utime(self.folder / NOTE_FILE)

    @property
    def whole(self) -> bool:
        """Return whether all files still have the sha256 that was noted when they were saved."""
        return all(
            (path := self.folder / FILES_FOLDER / name).is_file() and sha256(path) == digest
            for name, digest in self.files.items()
        )


def folder(key: CacheKey) -> Path:
    """Return the folder of the entry with this key, whether it exists or not."""
    return paths.store() / key.kind / key.digest


def find(key: CacheKey) -> CacheEntry | None:
    """Return the entry with this key, or None. Remove a damaged entry, so that the caller makes it again."""
    entry = _read(folder(key))
    if entry:
        used.add((key.kind, key.digest))
    if entry and not entry.whole:
        print(f"{entry.folder} was changed after it was written: made again", file=sys.stderr)
        shutil.rmtree(entry.folder)
        return None
    return entry


def get(kind: str, digest: str) -> CacheEntry | None:
    """Return the entry whose key has this digest, or None. Its files are not checked."""
    return _read(paths.store() / kind / digest)


def version(kind: str, digest: str) -> str:
    """Return the sha256 of an entry's note; "" if there is no entry.

    The sha256 changes when the entry is made again with other content.
    """
    note = paths.store() / kind / digest / NOTE_FILE
    return sha256(note) if note.is_file() else ""


def restore(key: CacheKey, target: Path) -> bool:
    """Copy the entry with this key to the folder `target`, and return whether there is such an entry."""
    if not (entry := find(key)):
        return False
    with atomic_folder(target) as temporary:
        copy_folder(entry.folder / FILES_FOLDER, temporary)
    entry.touch()
    return True


def save(key: CacheKey, title: str, source: Path) -> None:
    """Copy the folder `source` into the cache.

    Args:
        key: the key to find it by.
        title: a description for people.
        source: the folder to copy.
    """
    make_folder(folder(key).parent)
    with atomic_folder(folder(key)) as temporary:
        copy_folder(source, temporary / FILES_FOLDER)
        files = sorted(path for path in (temporary / FILES_FOLDER).rglob("*") if path.is_file())
        note = {
            "kind": key.kind,
            "parts": key.parts,
            "title": title,
            "files": {str(path.relative_to(temporary / FILES_FOLDER)): sha256(path) for path in files},
            "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 3),
        }
        write_json(temporary / NOTE_FILE, note)
    used.add((key.kind, key.digest))


def touch(kind: str, digest: str) -> None:
    """Note that an entry, or an output made from it, was used now. Do nothing if there is no such entry."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(paths.store() / kind / digest / NOTE_FILE)


@contextlib.contextmanager
def exclusive(key: CacheKey, title: str) -> Iterator[None]:
    """Hold the lock of one entry, so that only one process makes it.

    A second process waits, and then finds the entry that the first one has saved.

    Args:
        key: the key of the entry.
        title: a description of the entry, for the message while this process waits.
    """
    lock = _lock(key.kind, key.digest)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = held_by(Path(lock.lock_file))
        print(f"waiting: {title}: another process is making it{holder}", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def is_busy(kind: str, digest: str) -> bool:
    """Return whether a process holds the lock of this entry."""
    lock = _lock(kind, digest)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _lock(kind: str, digest: str) -> FileLock:
    place = paths.private() / "locks" / f"{kind}-{digest}"
    make_folder(place.parent)
    if place.is_dir():
        shutil.rmtree(place)
    return FileLock(place)


def differences(key: CacheKey) -> tuple[CacheEntry, list[str]] | None:
    """Return the entry of the same kind with the nearest key, and a line for each difference.

    Return None if there is no entry of this kind.
    """
    parts = flatten(key.parts)
    candidates: list[tuple[CacheEntry, list[str]]] = []
    for entry in entries(key.kind):
        entry_parts = flatten(entry.key.parts)
        changed = [
            f"{name}: {entry_parts.get(name, 'nothing')} there, {parts.get(name, 'nothing')} here"
            for name in sorted(parts.keys() | entry_parts.keys())
            if parts.get(name) != entry_parts.get(name)
        ]
        candidates.append((entry, changed))
    return min(candidates, key=lambda each: len(each[1]), default=None)


def entries(kind: str = "*") -> list[CacheEntry]:
    """Return all entries of a kind, by default of every kind; the last used first."""
    cache_entries = [entry for path in paths.store().glob(f"{kind}/*") if (entry := _read(path))]
    return sorted(cache_entries, key=lambda entry: -entry.used)


def damaged() -> list[Path]:
    """Return what lies in the place of entries and is none."""
    return [path for path in paths.store().glob("*/[!.]*") if not _read(path)]


def _read(place: Path) -> CacheEntry | None:
    try:
        note = read_json(place / NOTE_FILE)
        files = dict(note["files"])
        return CacheEntry(
            place, CacheKey(note["kind"], note["parts"]), note["title"], files, note["megabytes"]
        )
    except (UserError, KeyError, TypeError, ValueError):  # an entry without a readable note counts as missing
        return None
