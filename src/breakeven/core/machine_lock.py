"""The lock of this machine: processes train and export side by side, but one that measures runs alone."""

import fcntl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from breakeven.core.lock_holders import held_by

# One lock for the machine, not for each repository: any other process disturbs a measurement.
LOCK_FILE = Path(tempfile.gettempdir()) / "breakeven.lock"


@contextmanager
def shared() -> Iterator[None]:
    """Hold the lock to train or export: other processes may do so at the same time, but none may measure."""
    with _held(fcntl.LOCK_SH, "until what is measured on this machine has been measured"):
        yield


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock to measure: no other process may train, export or measure."""
    with _held(fcntl.LOCK_EX, "until nothing else is trained, exported or measured on this machine"):
        yield


@contextmanager
def _held(mode: int, reason: str) -> Iterator[None]:
    with _opened() as file:
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting {reason}{held_by(LOCK_FILE)}", file=sys.stderr, flush=True)
            fcntl.flock(file, mode)
        yield  # the lock ends when the file is closed, also by the end of the process


def _opened() -> IO[str]:
    """Return the lock's file, open for reading: a kernel may forbid writing to another user's file."""
    try:
        return LOCK_FILE.open()
    except FileNotFoundError:
        file = LOCK_FILE.open("a")
        with suppress(PermissionError):  # another user created the file first
            LOCK_FILE.chmod(0o666)
        return file
