"""The lock of this machine: processes train and export side by side, but one that measures runs alone."""

import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

# One lock for the machine, not for each repository: any other process disturbs a measurement.
LOCK = Path(tempfile.gettempdir()) / "breakeven.lock"
MOST = 120  # characters of a command in a message


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
            print(f"waiting {reason}{_holders(file)}", file=sys.stderr)
            fcntl.flock(file, mode)
        yield  # the lock ends when the file is closed, also by the end of the process


def _holders(file: IO[str]) -> str:
    """Return in words which processes hold the lock and since when they run; "" if Linux does not tell."""
    held = []
    with suppress(OSError):
        inode = f":{os.fstat(file.fileno()).st_ino}"
        for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
            words = (
                line.split()
            )  # 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF; a waiting one has -> after 1:
            if words[1] == "FLOCK" and words[5].endswith(inode):
                held.append(_describe(int(words[4])))
    return f" (the lock is held by {'; '.join(held)})" if held else ""


def _describe(process: int) -> str:
    try:
        found = psutil.Process(process)
        since = time.strftime("%H:%M:%S", time.localtime(found.create_time()))
        command = " ".join(" ".join(found.cmdline()).split())
        return f"process {process}, which runs since {since}: {command[:MOST]}"
    except psutil.Error:  # it has ended, or is in another container
        return f"process {process}"


def _opened() -> IO[str]:
    """Return the lock's file, open for reading: a kernel may forbid writing to another user's file."""
    try:
        return LOCK.open()
    except FileNotFoundError:
        file = LOCK.open("a")
        with suppress(PermissionError):  # another user created the file first
            LOCK.chmod(0o666)
        return file
