"""Worker processes from their parent's side: start, ask, and name what killed one."""

import contextlib
import json
import os
import select
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from breakeven.core.errors import Unsupported
from breakeven.engine.forkserver_client import ForkServer, WorkerFailed, describe_exit
from breakeven.engine.target import Variant, worker_spec


class WorkerProcess:
    """One worker. Use it in a `with` block, so that it cannot outlive it."""

    def __init__(
        self, server: ForkServer, hardware: Mapping[str, Any], variant: Variant, cache: Path, timeout_s: float
    ) -> None:
        """Fork the process for `variant`, with a folder for what a runtime compiles.

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
        self.send("start", hardware=dict(hardware), target=worker_spec(variant), cache=str(cache))

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
            answer = self._parse(self._line())
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

    @contextlib.contextmanager
    def resumed(self) -> Iterator[None]:
        """Let a frozen worker run, and freeze it again.

        Threads of a library that wait for work by spinning would else take a core from whoever is timed next.
        """
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.suspend()

    def suspend(self) -> None:
        """Stop the process, all threads of it, until it is wanted."""
        self._signal(signal.SIGSTOP)

    @property
    def memory_mb(self) -> float:
        """Memory that is this process's alone, 10**6 bytes."""
        try:
            return float(psutil.Process(self.pid).memory_full_info().uss) / 1e6
        except psutil.Error:
            return 0.0

    def _parse(self, line: bytes) -> dict[str, Any]:
        with contextlib.suppress(ValueError):
            if isinstance(answer := json.loads(line), dict):
                return answer
        self.kill()
        raise WorkerFailed(f"its answer is not one: {line[:60]!r}; killed")

    def _line(self) -> bytes:
        deadline = time.monotonic() + self.timeout_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                self.kill()
                raise WorkerFailed(f"no answer within {self.timeout_s:g} s; killed")
            if not (chunk := os.read(self._answers, 1 << 16)):
                raise WorkerFailed(describe_exit(self._wait(), self._log))
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def kill(self) -> None:
        """End the process; `with` waits for it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # Until a living server has waited for it, the number is this process's own.
        if not self._gone and self._server.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # a group of the dead alone
                os.killpg(self.pid, number)

    def _wait(self) -> int:
        self.kill()  # what it had started goes on without it
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
        self.kill()
        if not self._gone and self._server.alive:
            with contextlib.suppress(WorkerFailed):
                self._wait()  # it takes no more time from those that live
        self._close()
