"""A request to Linux that a process ends together with its parent."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here, before any process forks
# Environment variable: the process id of the process that started this one
PARENT_VARIABLE = "BREAKEVEN_PARENT"


def end_with_parent(parent: int | None = None, with_signal: signal.Signals = signal.SIGTERM) -> None:
    """Make Linux send a signal to this process when its parent ends, for whatever reason the parent ends.

    On other systems this does nothing.

    Args:
        parent: the process id of the parent; by default the value of `PARENT_VARIABLE`, or else the current
            parent. If this process has another parent by now, the given one has ended, and this process gets
            the signal at once.
        with_signal: the signal to send.
    """
    if LIBC is None:
        return
    LIBC.prctl(PR_SET_PDEATHSIG, with_signal)
    if parent is None:
        parent = int(os.environ.get(PARENT_VARIABLE, os.getppid()))
    if os.getppid() != parent:
        os.kill(os.getpid(), with_signal)
