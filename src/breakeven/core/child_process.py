"""Processes that end with the one that started them."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of linux/prctl.h


PARENT = "BREAKEVEN_PARENT"  # environment variable: the process that started this one


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends, however that comes about.

    A parent that has ended already is told by `PARENT`, where that is set.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.environ.get(PARENT, str(os.getppid())) != str(os.getppid()):
            os.kill(os.getpid(), signal.SIGTERM)
