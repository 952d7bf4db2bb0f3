"""The processes that hold a lock on a file, for the message of a process that waits for it."""

import contextlib
import os
import shlex
from datetime import datetime
from pathlib import Path

import psutil

LOCKS = Path("/proc/locks")  # Linux's list: number, kind, mode, access, process, device:inode, range
LONGEST = 100  # most characters of a command


def describe(path: Path) -> str:
    """Return which processes hold a lock on a file, and since when; "" where the system tells nothing.

    Args:
        path: the file, locked by `flock` or `lockf`.
    """
    with contextlib.suppress(OSError):
        status = path.stat()
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        held = [line.split() for line in LOCKS.read_text(encoding="ascii").splitlines() if "->" not in line]
        numbers = {int(fields[4]) for fields in held if fields[5] == f"{device}:{status.st_ino}"}
        return "; ".join(filter(None, map(_process, sorted(numbers))))
    return ""


def held_by(path: Path) -> str:
    """Return the end of a sentence, ", held by ..."; "" where the system tells nothing."""
    processes = describe(path)
    return f", held by {processes}" if processes else ""


def _process(number: int) -> str:
    """Return a process's number, start and command; "" if it is gone or another container's."""
    try:
        process = psutil.Process(number)
        began = datetime.fromtimestamp(process.create_time())
        command = shlex.join(process.cmdline())[:LONGEST]
    except (psutil.Error, ValueError):
        return ""
    return f"process {number} since {began:%Y-%m-%d %H:%M:%S} ({command})"
