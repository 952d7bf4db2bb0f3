"""Make a process end with the one that started it."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before a process forks
PARENT = "BREAKEVEN_PARENT"  # environment variable: the process that started this one


def end_with_parent(parent: int | None = None, with_signal: signal.Signals = signal.SIGTERM) -> None:
    """Make Linux send a signal to this process when its parent ends, in whatever way the parent ends.

    Other systems have nothing like it.

    Args:
        parent: the process id of the parent. If another process is the parent already, the real one has
            ended, and the signal is sent at once. By default `PARENT` says it, where that is set.
    """
    if LIBC is None:
        return
    LIBC.prctl(PR_SET_PDEATHSIG, with_signal)
    if parent is None:
        parent = int(os.environ.get(PARENT, os.getppid()))
    if os.getppid() != parent:
        os.kill(os.getpid(), with_signal)
