"""What has not ended, which the same command goes on from; and what sweeps leave of their launcher."""

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from breakeven.core import cache, paths

# A sweep's jobs, epochs, launchers' logs; and the kind in the store of what is being made there
KINDS = {"jobs": "job", "training": "model", "hydra": ""}
HALF_WRITTEN = ".*.tmp"  # by a process that was killed


def older(days: float) -> list[Path]:
    """Those in which nothing was written for so many days, and nobody is at work."""
    found = [
        path
        for folder, kind in KINDS.items()
        for path in (paths.private() / folder).glob("*")
        if not (kind and cache.is_busy(kind, path.name))
    ]
    found += paths.store().glob(f"*/{HALF_WRITTEN}")
    return sorted(path for path in found if time.time() - _written(path) >= 86400 * days)


def megabytes(found: Iterable[Path]) -> float:
    """What they take, in 10**6 bytes."""
    return sum(each.st_size for path in found for each in _stats(path) if stat.S_ISREG(each.st_mode)) / 1e6


def remove(found: Iterable[Path]) -> None:
    """Remove them; one that has gone meanwhile is no matter."""
    for path in found:
        shutil.rmtree(path, ignore_errors=True)


def _written(path: Path) -> float:
    """When, seconds since the epoch; of what has gone meanwhile, now."""
    return max((each.st_mtime for each in _stats(path)), default=time.time())


def _stats(path: Path) -> Iterator[os.stat_result]:
    """Of a folder and of all in it that is there when it is looked at: work may go on beside."""
    with suppress(FileNotFoundError):
        yield path.lstat()
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                yield Path(folder, name).lstat()
