"""Whose turn it is on this machine: several processes may make things at once, but who measures is alone."""

import fcntl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# Of the machine, not of a repository: whatever else measures here is in the way.
LOCK = Path(tempfile.gettempdir()) / "breakeven.lock"


@contextmanager
def shared() -> Iterator[None]:
    """Train or export: beside others that do, but not while anything is measured."""
    with _held(fcntl.LOCK_SH, "until what is measured on this machine has been measured"):
        yield


@contextmanager
def exclusive() -> Iterator[None]:
    """Measure: alone."""
    with _held(fcntl.LOCK_EX, "until nothing else is trained, exported or measured on this machine"):
        yield


@contextmanager
def _held(mode: int, reason: str) -> Iterator[None]:
    with _opened() as file:
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting {reason}", file=sys.stderr)
            fcntl.flock(file, mode)
        yield  # closing the file releases the lock, as the death of the process does


def _opened() -> IO[str]:
    """The lock's file; another user's is only read, since a kernel may forbid to open it for writing."""
    try:
        return LOCK.open()
    except FileNotFoundError:
        file = LOCK.open("a")
        with suppress(PermissionError):  # another user's, who was quicker
            LOCK.chmod(0o666)
        return file
