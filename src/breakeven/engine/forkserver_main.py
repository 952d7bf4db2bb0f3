"""The process that imports a runtime's library once, and forks the workers that need it.

Started as `python -m breakeven.engine.forkserver_main SOCKET MODULE...`. It starts no thread, so that what it
forks is whole. A request is `ready`; or `fork`, with the worker's pipes and log attached, answered by a
process id; or `wait PID`, answered by the exit code of a worker that is dead or dying.
"""

# Why not multiprocessing's own fork server: a process has only one, with one environment and one list of
# modules to preload. Each set of libraries needs its own: libraries read variables such as OMP_NUM_THREADS
# when they are imported, and a library that starts threads would make the forks of the others unsafe.

import contextlib
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from breakeven.core.child_process import end_with_parent
from breakeven.engine import worker_main

# Modules that start no threads but OpenBLAS's, which ends them before a fork and starts them again.
FORK_SAFE = ("numpy", "scipy", "breakeven.engine.artifact_loader", "breakeven.engine.call_loader")


def serve(channel: socket.socket, modules: Sequence[str]) -> None:
    """Import, then answer until the parent's end is closed, which a killed parent's is too."""
    threads = _threads()
    for name in modules:
        with contextlib.suppress(Exception):  # the worker itself will say what is missing, or wrong
            importlib.import_module(name)
        if name in FORK_SAFE:
            threads = _threads()
        if _threads() > threads:  # what it forked would not be whole: each worker imports that by itself
            rest = [other for other in modules if other != name]
            again = [sys.executable, "-m", "breakeven.engine.forkserver_main", str(channel.fileno()), *rest]
            os.execv(sys.executable, again)
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, 64, 3)
        if not request:
            return
        verb, *rest = request.decode().split()
        try:
            if verb == "fork":
                answer = str(_fork(channel, *descriptors))
            elif verb == "ready":
                answer = "0"
            else:
                answer = str(os.waitstatus_to_exitcode(os.waitpid(int(rest[0]), 0)[1]))
        except OSError as error:  # no memory, no process left: the next one may do
            answer = f"!cannot {verb}: {error}"
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(answer.encode())


def _threads() -> int:
    """Of this process; 1 where the system does not tell."""
    with contextlib.suppress(OSError):
        return len([*Path("/proc/self/task").iterdir()])
    return 1


def _fork(channel: socket.socket, commands: int, answers: int, log: int) -> int:
    """Fork a worker, in a group of its own with whatever it will start (compilers); its process id."""
    parent = os.getpid()
    if not (pid := os.fork()):
        os.setpgid(0, 0)
        channel.close()
        # A killed parent leaves no worker behind, however busy the worker is. Outside of Linux, a worker ends
        # when it reads from the closed pipe, after its block.
        end_with_parent(parent, signal.SIGKILL)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 1
        try:
            worker_main.main(commands, os.dup(answers))  # `answers` stays open: its end is the process's
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)  # what the server would do at its end is not the worker's to do
    with contextlib.suppress(OSError):  # the child has done it, or is over
        os.setpgid(pid, pid)
    return pid


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel, sys.argv[2:])
