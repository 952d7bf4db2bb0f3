"""The end of a process together with the process that started it."""

import ctypes
import os
import select
import signal
import sys
import threading
import time

import psutil

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here, before any process forks
UNDER_DVC = "DVC_STAGE"  # environment variable: the stage that DVC runs
# DVC runs a command by the user's shell, which may wait for it
SHELLS = ("sh", "bash", "dash", "zsh", "fish", "ksh")
GRACE_S = 8.0  # for a process to end by itself
AGAIN_S = 2.0  # a library may have replaced the handler of the last SIGTERM, or swallowed what it raised
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


def end_with_dvc() -> None:
    """Make this process end within seconds if it runs a stage of DVC and DVC ends, for whatever reason.

    Otherwise a killed `dvc` would leave a stage that holds the machine. Linux sends a signal only when the
    parent ends, which may be a shell that outlives DVC. So a thread waits for DVC itself, and uses no
    processor time. On systems without `pidfd_open` this does nothing.

    Call it before imports that take seconds: what a killed DVC leaves behind should not go on importing.
    """
    if UNDER_DVC not in os.environ or not hasattr(os, "pidfd_open"):
        return
    try:
        dvc = psutil.Process().parent()
        while dvc and dvc.name() in SHELLS:
            dvc = dvc.parent()
        # Linux gives the processes of a parent that has ended to another one, which has its own session.
        has_ended = not dvc or os.getsid(dvc.pid) != os.getsid(0)
        descriptor = os.pidfd_open(dvc.pid) if dvc and not has_ended else None
    except (psutil.Error, OSError):  # DVC has ended already
        descriptor = None
    threading.Thread(target=_wait_and_end, args=[descriptor], name="end with dvc", daemon=True).start()


def _wait_and_end(descriptor: int | None) -> None:
    """Wait for the end of the process behind `descriptor`, then end this process, at first by SIGTERM."""
    if descriptor is not None:
        select.select([descriptor], [], [])
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(AGAIN_S)
    os.kill(os.getpid(), signal.SIGKILL)
