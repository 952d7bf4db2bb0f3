"""Worker processes from their parent's side: start, ask, and name what killed one."""

import contextlib
import json
import os
import select
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from breakeven import artifact, option
from breakeven.errors import Unsupported
from breakeven.measure.server import ForkServer, WorkerFailed, obituary


class WorkerProcess:
    """One worker. Use it in a `with` block, so that it cannot outlive it."""

    def __init__(
        self, server: ForkServer, hardware: Mapping[str, Any], folder: Path, timeout_s: float
    ) -> None:
        """Fork the process for the artifact in `folder`.

        Raises:
            WorkerFailed: the server cannot.
        """
        self.timeout_s = timeout_s
        self._server = server
        self._rest = b""
        self._pending = 0
        self._gone = False
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `__exit__`)
        try:
            self.pid = server.request("fork", [commands, answers, self._log.fileno()])
        except WorkerFailed:
            self._close()
            raise
        finally:
            os.close(commands)
            os.close(answers)
        self.send("start", hardware=dict(hardware), folder=str(folder))

    def send(self, do: str, **fields: Any) -> None:
        """Give a command without waiting for its answer."""
        line = json.dumps({"do": do, **fields}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # the missing answer will tell why
            os.write(self._commands, line.encode())
        self._pending += 1

    def answer(self) -> dict[str, Any]:
        """The answer to the last command.

        Raises:
            Unsupported: the runtime cannot do this.
            WorkerFailed: an error, a crash (with signal and the end of stderr), or no answer in time.
        """
        answer: dict[str, Any] = {}
        while self._pending:
            answer = json.loads(self._line())
            self._pending -= 1
            if reason := answer.get("unsupported"):
                raise Unsupported(reason)
            if reason := answer.get("error"):
                raise WorkerFailed(reason)
        return answer

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Give a command and wait for its answer; raises what `answer` raises."""
        self.send(do, **fields)
        return self.answer()

    def _line(self) -> bytes:
        deadline = time.monotonic() + self.timeout_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                self._kill()
                raise WorkerFailed(f"no answer within {self.timeout_s:g} s; killed")
            if not (chunk := os.read(self._answers, 1 << 16)):
                raise WorkerFailed(obituary(self._wait(), self._log))
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _kill(self) -> None:
        # Until a living server has waited for it, the number is this process's own.
        if not self._gone and self._server.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _wait(self) -> int:
        code = self._server.request(f"wait {self.pid}")
        self._gone = True
        return code

    def _close(self) -> None:
        os.close(self._commands)
        os.close(self._answers)
        self._log.close()

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()
        if not self._gone and self._server.alive:
            with contextlib.suppress(WorkerFailed):
                self._wait()  # it takes no more time from those that live
        self._close()


class Nursery(ExitStack):
    """Starts workers: one server for each set of libraries, all ended with the block.

    A second worker of the same artifact (a twin) is asked for as `copy` 1, and gets a server of its own: it
    is to differ from the first as much as the variants of other runtimes do.
    """

    def __init__(self, hardware: Mapping[str, Any], timeout_s: float) -> None:
        super().__init__()
        self.hardware, self.timeout_s = hardware, timeout_s
        self.environment: dict[str, str] = option.load("hardware", hardware, "hardware").environment()
        self._servers: dict[tuple[tuple[str, ...], int], ForkServer] = {}

    def prepare(self, folder: Path, copy: int = 0) -> ForkServer:
        """The server for the artifact in `folder`, started by the first that needs it, and if it has died."""
        card = artifact.read(folder)
        modules = option.load("runtime", card.settings, f"runtimes.{card.runtime}").modules
        server = self._servers.get((modules, copy))
        if server is None or not server.alive:
            server = self._servers[modules, copy] = ForkServer(self.environment, modules, self.timeout_s)
            self.callback(server.close)
        return server

    def worker(self, folder: Path, copy: int = 0) -> WorkerProcess:
        """A fresh process for the artifact in `folder`; to be used in a `with` block."""
        return WorkerProcess(self.prepare(folder, copy), self.hardware, folder, self.timeout_s)
