"""The cleanup of `breakeven cache prune`: entries that nobody used for long, and unfinished work."""

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from breakeven.core import cache, paths
from breakeven.core.cache import CacheEntry

# Folder of unfinished work below `paths.private()` -> the kind of cache entry that is being made in it
UNFINISHED_FOLDERS = {"jobs": "job", "training": "model", "hydra": ""}
HALF_WRITTEN = ".*.tmp"  # entries that a killed process left behind
DAY_S = 86400


def unused(days: float) -> list[CacheEntry]:
    """Return the entries that nobody used for `days` days, and that no process is using."""
    return [
        entry
        for entry in cache.entries()
        if time.time() - entry.used >= DAY_S * days and not cache.is_busy(entry.key.kind, entry.folder.name)
    ]


def prune(days: float) -> list[CacheEntry]:
    """Remove and return the entries that nobody used for `days` days, and that no process is using."""
    old = unused(days)
    remove(entry.folder for entry in old)
    return old


def unfinished(days: float) -> list[Path]:
    """Return the folders of unfinished work that nobody wrote to for `days` days and that no process uses.

    They hold jobs of sweeps, checkpoints of interrupted trainings, launchers' logs, and half-written entries.
    """
    folders = [
        path
        for folder, kind in UNFINISHED_FOLDERS.items()
        for path in (paths.private() / folder).glob("*")
        if not (kind and cache.is_busy(kind, path.name))
    ]
    folders += paths.store().glob(f"*/{HALF_WRITTEN}")
    return sorted(path for path in folders if time.time() - _last_written(path) >= DAY_S * days)


def megabytes(folders: Iterable[Path]) -> float:
    """Return the size of all files in these folders, in 10**6 bytes."""
    stats = (status for folder in folders for status in _stats(folder))
    return sum(status.st_size for status in stats if stat.S_ISREG(status.st_mode)) / 1e6


def remove(folders: Iterable[Path]) -> None:
    """Remove folders. Ignore a folder that another process has removed meanwhile."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _last_written(folder: Path) -> float:
    """Return when a folder was last written to, in seconds since the epoch; now, if it is gone."""
    return max((status.st_mtime for status in _stats(folder)), default=time.time())


def _stats(folder: Path) -> Iterator[os.stat_result]:
    """Yield the status of a folder and of its files. Skip files that other processes remove meanwhile."""
    with suppress(FileNotFoundError):
        yield folder.lstat()
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield Path(parent, name).lstat()
