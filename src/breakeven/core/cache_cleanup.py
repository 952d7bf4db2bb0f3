"""The cleanup of `breakeven cache prune`: entries that nobody used for long, and unfinished work."""

import os
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from breakeven.core import cache, files, paths
from breakeven.core.cache import CacheEntry

# Folder of unfinished work below `paths.private()` -> the kind of cache entry that is being made in it
UNFINISHED_FOLDERS = {"jobs": "job", "training": "model", "hydra": ""}
OUTPUTS = (paths.ARTIFACTS, paths.MODELS, paths.RESULTS, paths.PREPARED.parent)  # folders of stages' outputs
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
    """Return unfinished work that no process uses, and that nobody wrote to for `days` days.

    It consists of jobs of sweeps, checkpoints of interrupted trainings, launchers' logs, damaged entries, and
    temporary files. The days do not count for temporary files whose process is gone.
    """
    folders = [
        path
        for folder, kind in UNFINISHED_FOLDERS.items()
        for path in (paths.private() / folder).glob("*")
        if not (kind and cache.is_busy(kind, path.name))
    ]
    folders += cache.damaged()
    parents = {path.parent for path in _half_written()}
    gone = {path for parent in parents for path in files.leftovers(parent, ".")}
    gone.update(files.leftovers(Path(tempfile.gettempdir()), files.SCRATCH_PREFIX))
    folders += [path for path in _half_written() if path not in gone]
    old = [path for path in folders if time.time() - _last_written(path) >= DAY_S * days]
    return sorted({*old, *gone})


def _half_written() -> list[Path]:
    """Return temporary files and folders beside outputs of stages and entries of the cache."""
    beside = list(paths.home().glob(f".*{files.UNFINISHED_SUFFIX}"))
    for folder in (paths.private(), *(paths.home() / output for output in OUTPUTS)):
        beside += folder.rglob(f".*{files.UNFINISHED_SUFFIX}")
    return beside


def megabytes(folders: Iterable[Path]) -> float:
    """Return the size of all files in these folders, in 10**6 bytes."""
    stats = (status for folder in folders for status in _stats(folder))
    return sum(status.st_size for status in stats if stat.S_ISREG(status.st_mode)) / 1e6


def remove(paths_to_remove: Iterable[Path]) -> None:
    """Remove files and folders. Ignore what another process has removed meanwhile."""
    for path in paths_to_remove:
        files.remove(path)


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
