"""What was begun and has not ended: the same command goes on from it, as long as it lies here."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from breakeven import paths

KINDS = ("jobs", "training", "benchmark", "hydra")  # a sweep's jobs, epochs, scenarios; a sweep's own folders
HALF_WRITTEN = ".*.tmp"  # by a process that was killed


def older(days: float) -> list[Path]:
    """Those in which nothing was written for so many days."""
    found = [path for kind in KINDS for path in (paths.private() / kind).glob("*")]
    found += paths.store().glob(f"*/{HALF_WRITTEN}")
    return sorted(path for path in found if time.time() - _written(path) >= 86400 * days)


def megabytes(found: Sequence[Path]) -> float:
    """What they take, in 10**6 bytes; models that are linked in, nothing."""
    return sum(file.stat().st_size for path in found for file in _files(path)) / 1e6


def prune(days: float) -> list[Path]:
    """Remove those in which nothing was written for so many days; returns them."""
    found = older(days)
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return found


def _written(path: Path) -> float:
    """When, seconds since the epoch."""
    return max(file.lstat().st_mtime for file in [path, *_files(path)])


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
