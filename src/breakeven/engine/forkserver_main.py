"""The process that imports a runtime's libraries once, and forks the workers that need them.

Its command is `python -m breakeven.engine.forkserver_main SOCKET MODULE...`. It starts no thread, because a
fork copies only the thread that forks. It answers three requests:

- `ready` returns 0 when the imports are done.
- `fork`, with the worker's pipes and log attached, returns the worker's process id.
- `wait PID` waits for the end of a worker, and returns its exit code.
"""

# multiprocessing's fork server does not fit: a process has only one, with one environment and one list of
# modules to preload. Each set of libraries needs a server of its own. Libraries read variables such as
# OMP_NUM_THREADS when they are imported, and a library that starts threads makes all forks unsafe.

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

# The packages with a copy of OpenBLAS, which ends its threads before a fork and restarts them later. The
# server imports them before the modules that need them: their threads are not those of such a module.
OPENBLAS = ("numpy", "scipy.linalg")


def serve(channel: socket.socket, modules: Sequence[str]) -> None:
    """Import the modules, then answer requests until the parent closes its end of the channel, or dies.

    If a module starts threads while it is imported, the server restarts itself without this module, and each
    worker imports the module for itself. If the module imports a package with OpenBLAS, the threads may be
    those of OpenBLAS: the server restarts with this package first.
    """
    first = [name for name in OPENBLAS if name == "numpy" or name in modules]
    rest = [name for name in modules if name not in first]
    threads = _threads()
    for name in [*first, *rest]:
        with (
            contextlib.suppress(Exception),
            _settings_kept(),
        ):  # the worker reports an error: it imports again
            importlib.import_module(name)
        if name in first:
            threads = _threads()
        if _threads() > threads:  # a fork would lack them
            new = [package for package in OPENBLAS if package in sys.modules and package not in first]
            kept = [module for module in rest if new or module != name]
            again = [sys.executable, "-m", "breakeven.engine.forkserver_main", str(channel.fileno())]
            os.execv(sys.executable, [*again, *first, *new, *kept])
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
        except OSError as error:  # out of memory or processes: a later request may succeed
            answer = f"!cannot {verb}: {error}"
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(answer.encode())


def _settings_kept() -> contextlib.AbstractContextManager[None]:
    """Return a context that sets torch's settings back: a package of the user's may change them."""
    settings = sys.modules.get("breakeven.artifacts.process_settings")
    return settings.kept() if settings else contextlib.nullcontext()


def _threads() -> int:
    """Return the number of threads of this process; 1 where the system does not tell."""
    with contextlib.suppress(OSError):
        return len([*Path("/proc/self/task").iterdir()])
    return 1


def _fork(channel: socket.socket, commands: int, answers: int, log: int) -> int:
    """Fork a worker, and return its process id.

    The worker leads a process group, which holds the processes that it starts, such as compilers.
    """
    parent = os.getpid()
    if not (pid := os.fork()):
        os.setpgid(0, 0)
        channel.close()
        # Linux kills the worker when its server dies. On other systems the worker ends after its block, when
        # it reads from the closed pipe.
        end_with_parent(parent, signal.SIGKILL)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 1
        try:
            worker_main.main(commands, os.dup(answers))  # `answers` closes when the process ends
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)  # skip the exit handlers inherited from the server
    with contextlib.suppress(OSError):  # the child has done it, or has ended
        os.setpgid(pid, pid)
    return pid


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel, sys.argv[2:])
