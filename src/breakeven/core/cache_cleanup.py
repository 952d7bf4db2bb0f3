"""What `breakeven cache prune` removes: entries that nobody used for long, and unfinished work."""

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from breakeven.core import cache, paths
from breakeven.core.cache import CacheEntry

# Folders of unfinished work below `paths.private()` -> the kind in the cache of what is being made there
UNFINISHED = {"jobs": "job", "training": "model", "hydra": ""}
HALF_WRITTEN = ".*.tmp"  # by a process that was killed
DAY_S = 86400


def prune(days: float) -> list[CacheEntry]:
    """Remove and return the entries that nobody used for so many days, and that no process is using."""
    old = [
        entry
        for entry in cache.entries()
        if time.time() - entry.used >= DAY_S * days and not cache.is_busy(entry.key.kind, entry.folder.name)
    ]
    for entry in old:
        shutil.rmtree(entry.folder)
    return old


def unfinished(days: float) -> list[Path]:
    """Return the folders of unfinished work in which nobody has written for so many days, and nobody works.

    They are jobs of sweeps, epochs to go on from, launchers' logs, and half-written entries.
    """
    folders = [
        path
        for folder, kind in UNFINISHED.items()
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
    """Remove folders; one that another process has removed meanwhile is no error."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _last_written(folder: Path) -> float:
    """Return when something in it was last written, seconds since the epoch; now, if it is gone."""
    return max((status.st_mtime for status in _stats(folder)), default=time.time())


def _stats(folder: Path) -> Iterator[os.stat_result]:
    """Yield the status of a folder and of all in it; other processes may remove files meanwhile."""
    with suppress(FileNotFoundError):
        yield folder.lstat()
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield Path(parent, name).lstat()
