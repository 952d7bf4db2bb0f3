"""What was made once is found again, by a key of all that it was made from, by DVC's stages and by sweeps."""

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
from breakeven.core.errors import UserError
from breakeven.core.files import atomic_folder, fingerprint, flatten, read_json, sha256, write_json

NOTE, FILES = "key.json", "files"
USED = "used.json"  # beside a job's records: kind and digest of all that it was made from
used: set[tuple[str, str]] = set()  # by this process


@dataclass(frozen=True)
class CacheKey:
    """All that decides what something is, by name: settings, inputs' digests, the code's."""

    kind: str  # "data", "model", "artifact"
    parts: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """What stands for it in a path, a card and a tag."""
        return fingerprint(self.kind, self.parts)


@dataclass(frozen=True)
class CacheEntry:
    """One thing in the store."""

    folder: Path
    key: CacheKey
    title: str
    files: Mapping[str, str]  # name -> sha256
    megabytes: float  # 10**6 bytes

    @property
    def used(self) -> float:
        """When it was last made or taken, seconds since the epoch."""
        return (self.folder / NOTE).stat().st_mtime

    def touch(self) -> None:
        """It was used: `prune` counts from now."""
        os.utime(self.folder / NOTE)

    @property
    def whole(self) -> bool:
        """Whether its files are what was kept."""
        return all(
            (path := self.folder / FILES / name).is_file() and sha256(path) == digest
            for name, digest in self.files.items()
        )


def folder(key: CacheKey) -> Path:
    """Where what has this key lies, or would."""
    return paths.store() / key.kind / key.digest


def find(key: CacheKey) -> CacheEntry | None:
    """What has this key; what was damaged since is removed, so that it is made again."""
    entry = _read(folder(key))
    if entry:
        used.add((key.kind, key.digest))
    if entry and not entry.whole:
        print(f"{entry.folder} was changed after it was written: made again", file=sys.stderr)
        shutil.rmtree(entry.folder)
        return None
    return entry


def get(kind: str, digest: str) -> CacheEntry | None:
    """What has the key with this digest, be it whole or not; None if there is nothing."""
    return _read(paths.store() / kind / digest)


def version(kind: str, digest: str) -> str:
    """What changes when that is made again: the sha256 of its note; empty if there is nothing."""
    note = paths.store() / kind / digest / NOTE
    return sha256(note) if note.is_file() else ""


def restore(key: CacheKey, target: Path) -> bool:
    """Copy what has this key to the folder `target`; returns whether there is something."""
    if not (entry := find(key)):
        return False
    with atomic_folder(target) as temporary:
        shutil.copytree(entry.folder / FILES, temporary, dirs_exist_ok=True)
    entry.touch()
    return True


def save(key: CacheKey, title: str, source: Path) -> None:
    """Copy the folder `source` into the store.

    Args:
        title: for people.
    """
    with atomic_folder(folder(key)) as temporary:
        shutil.copytree(source, temporary / FILES)
        files = sorted(path for path in (temporary / FILES).rglob("*") if path.is_file())
        note = {
            "kind": key.kind,
            "parts": key.parts,
            "title": title,
            "files": {str(path.relative_to(temporary / FILES)): sha256(path) for path in files},
            "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 3),
        }
        write_json(temporary / NOTE, note)
    used.add((key.kind, key.digest))


def touch(kind: str, digest: str) -> None:
    """It was used, or what was made from it: `prune` counts from now."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(paths.store() / kind / digest / NOTE)


@contextlib.contextmanager
def exclusive(key: CacheKey, title: str) -> Iterator[None]:
    """Two processes that need the same take turns: the second finds what the first has kept."""
    lock = _lock(key.kind, key.digest)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting: {title}: another process is making it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def is_busy(kind: str, digest: str) -> bool:
    """Whether a process is making or taking it."""
    lock = _lock(kind, digest)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _lock(kind: str, digest: str) -> FileLock:
    place = paths.private() / "locks" / f"{kind}-{digest}"
    place.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(place)


def differences(key: CacheKey) -> tuple[CacheEntry, list[str]] | None:
    """The entry of the same kind whose key is nearest, and where the two differ; None without entries."""
    mine = flatten(key.parts)
    found: list[tuple[CacheEntry, list[str]]] = []
    for entry in entries(key.kind):
        theirs = flatten(entry.key.parts)
        changed = [
            f"{name}: {theirs.get(name, 'nothing')} there, {mine.get(name, 'nothing')} here"
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]
        found.append((entry, changed))
    return min(found, key=lambda each: len(each[1]), default=None)


def entries(kind: str = "*") -> list[CacheEntry]:
    """All that is in the store, what was used last first."""
    found = [entry for path in paths.store().glob(f"{kind}/*") if (entry := _read(path))]
    return sorted(found, key=lambda entry: -entry.used)


def _read(place: Path) -> CacheEntry | None:
    try:
        note = read_json(place / NOTE)
        return CacheEntry(
            place, CacheKey(note["kind"], note["parts"]), note["title"], note["files"], note["megabytes"]
        )
    except (UserError, KeyError, TypeError):  # what has no readable note is not there, and is made again
        return None
