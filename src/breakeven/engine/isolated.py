"""Calls of functions, each in a process of its own with limits of time and of resident memory."""

import errno
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from breakeven.core.errors import Unsupported, UserError, WrongOutput
from breakeven.core.memory import be_killed_first, limit_mb
from breakeven.core.toolchain_errors import chain, in_words
from breakeven.engine.forkserver_client import ForkServer, WorkerFailed
from breakeven.engine.worker_client import ForkedProcess

T = TypeVar("T")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
LONGER = 5  # factor of `measure.timeout_s`: a build takes longer than any call that is timed
LEAST_FREE = 2**20  # bytes: a disk with less is full


class CallFailed(WorkerFailed):
    """The failure of a call; `printed` is all that its process printed, and the traceback."""

    def __init__(self, reason: str, printed: str) -> None:
        super().__init__(reason)
        self.printed = printed


class IsolatedCalls(ExitStack):
    """Calls of functions, each in a process that one fork server forks; they end with the `with` block."""

    def __init__(self, modules: Sequence[str], scratch: Path, timeout_s: float, memory_mb: float = 0) -> None:
        """Start nothing yet.

        Args:
            modules: what functions need; a process begins with these modules imported.
            scratch: a folder for the temporary files of all calls.
            timeout_s: the longest time of a call, seconds.
            memory_mb: the most resident memory of a call, 10**6 bytes; 0 for most of what is free.
        """
        super().__init__()
        self.modules, self.scratch = modules, scratch
        self.timeout_s, self.memory_mb = timeout_s, memory_mb
        self._count = 0
        self._server: ForkServer | None = None

    def start(self) -> ForkServer:
        """Return the fork server; a new one imports its modules while the caller goes on."""
        if not (self._server and self._server.alive):  # it may be killed for want of memory
            self._server = ForkServer({}, self.modules, self.timeout_s)
            self.callback(self._server.close)
        return self._server

    def kill(self) -> None:
        """Kill the fork server, and with it the process of a call that another thread waits for."""
        if self._server:
            self._server.process.kill()

    def call(self, function: Callable[[], T], target: Path | None = None) -> T:
        """Call a function in a new process, and return what it returns.

        What the process prints goes to this process's stderr.

        Args:
            function: it can be pickled, and so can its result.
            target: the folder that the function writes to, if it does.

        Raises:
            UserError, Unsupported, WrongOutput: the function raised it.
            OSError: a disk is full that we write to.
            CallFailed: the function raised another exception, or its process died, took too long, or held
                too much memory.
        """
        import cloudpickle

        server = self.start()
        self._count += 1
        folder = self.scratch / f"call-{self._count}"
        folder.mkdir()
        function_file, result_file = folder / "function", folder / "result"
        ours = [path.absolute() for path in (self.scratch, Path.cwd(), target) if path]
        function_file.write_bytes(cloudpickle.dumps((sys.path, ours, cloudpickle.dumps(function))))
        with ForkedProcess(server, self.timeout_s, limit_mb(self.memory_mb)) as process:
            try:
                process.ask("call_function", function=str(function_file), result=str(result_file))
            except WorkerFailed as error:
                raise CallFailed(str(error), process.printed()) from None
            kind, value = pickle.loads(result_file.read_bytes())
            printed = process.printed()
        if kind == "failed":
            raise CallFailed(value, printed)
        if printed:
            print(printed, end="", file=sys.stderr, flush=True)
        if kind == "raised":
            raise value
        result: T = value
        return result


def call_pickled(function: Path, result: Path) -> None:
    """Call the function in one file, and write what it returns or raises to another; for the new process."""
    import traceback

    import cloudpickle

    be_killed_first()
    # Files that tools leave behind, because they are killed, go with the caller's own scratch folder.
    os.environ["TMPDIR"] = tempfile.tempdir = str(function.parent)
    paths, ours, pickled = pickle.loads(function.read_bytes())
    sys.path += [path for path in paths if path not in sys.path]
    answer: tuple[str, Any]
    try:
        answer = "returned", pickle.loads(pickled)()
    except (UserError, Unsupported, WrongOutput) as error:
        answer = "raised", error
    except BaseException as error:  # also SystemExit, which a library may raise
        if full := _full_disk(error, ours):
            answer = "raised", full
        else:
            traceback.print_exc()
            answer = "failed", in_words(error)
    result.write_bytes(cloudpickle.dumps(answer))


def _full_disk(error: BaseException, ours: Sequence[Path]) -> OSError | None:
    """Return an error that names the full disk, if it is the reason of `error` and holds one of our folders.

    A library may also fill a disk of its own, such as /dev/shm, or report a full disk in words only.
    """
    for each in chain(error):
        if isinstance(each, OSError) and each.errno in DISK_FULL:
            place = Path(each.filename or ours[0]).absolute()
            if any(folder in place.parents or folder == place for folder in ours):
                return OSError(each.errno, os.strerror(each.errno), each.filename)
    for folder in ours:
        if shutil.disk_usage(folder).free < LEAST_FREE:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    return None
