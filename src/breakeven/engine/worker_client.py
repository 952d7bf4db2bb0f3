"""The parent's side of a worker: it starts the process, sends commands, and explains why a worker died."""

import contextlib
import json
import math
import os
import select
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from breakeven.core.errors import Unsupported, WrongOutput
from breakeven.core.memory import resident_mb
from breakeven.core.secrets import redact
from breakeven.engine.forkserver_client import ForkServer, WorkerFailed, WorkerRaised, describe_exit
from breakeven.engine.target import Variant, worker_spec

LOOK_S = 0.2  # time between two looks at the memory of a process with a limit


class ForkedProcess:
    """One process that a fork server has forked; it executes commands, and ends with its `with` block."""

    def __init__(self, server: ForkServer, timeout_s: float, memory_mb: float = math.inf) -> None:
        """Fork the process.

        Args:
            timeout_s: the longest wait for an answer, seconds.
            memory_mb: the most resident memory while it works on an answer, 10**6 bytes. Looking at it takes
                processor time, so that a process that is timed has no limit.

        Raises:
            WorkerFailed: the server cannot fork.
        """
        self.timeout_s, self.memory_limit_mb = timeout_s, memory_mb
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

    def printed(self) -> str:
        """Return all that the process has printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def send(self, do: str, **fields: Any) -> None:
        """Send a command without waiting for its answer."""
        line = json.dumps({"do": do, **fields}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # `answer` explains why the worker died
            os.write(self._commands, line.encode())
        self._pending += 1

    def answer(self) -> dict[str, Any]:
        """Wait for the answers to all commands sent so far, and return the last one.

        Raises:
            Unsupported: the runtime cannot execute a command.
            WrongOutput: an artifact's outputs differ from those of its scoring.
            WorkerRaised: a library in the worker raised an exception that is not of the machine.
            WorkerFailed: the worker reports an error, has crashed, or does not answer in time. After a crash,
                the message holds the signal and the last line of the log.
        """
        answer: dict[str, Any] = {}
        while self._pending:
            answer = self._parse(self._line())
            self._pending -= 1
            if reason := answer.get("unsupported"):
                raise Unsupported(redact(reason))
            if reason := answer.get("wrong"):
                raise WrongOutput(reason)
            if answer.get("raised"):
                raise WorkerRaised(redact(answer["error"]))
            if reason := answer.get("error"):
                raise WorkerFailed(redact(reason))
        return answer

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a command, and return its answer. Raises the errors of `answer`."""
        self.send(do, **fields)
        return self.answer()

    @contextlib.contextmanager
    def resumed(self) -> Iterator[None]:
        """Let a stopped worker run inside of a `with` block, and stop it again afterwards (SIGCONT, SIGSTOP).

        Some libraries' threads spin while they wait for work. Unless stopped, they would use a core that
        the next timed variant needs.
        """
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.suspend()

    def suspend(self) -> None:
        """Stop the process with all its threads, until it is resumed."""
        self._signal(signal.SIGSTOP)

    @property
    def memory_mb(self) -> float:
        """Return the memory that no other process shares, 10**6 bytes; 0 if the process is gone."""
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
        limited = math.isfinite(self.memory_limit_mb)
        while b"\n" not in self._rest:
            left = max(deadline - time.monotonic(), 0)
            ready, _, _ = select.select([self._answers], [], [], min(left, LOOK_S) if limited else left)
            if limited and (held := resident_mb(self.pid)) > self.memory_limit_mb:
                self.kill()
                raise WorkerFailed(
                    f"held {held:,.0f} MB, and {self.memory_limit_mb:,.0f} are allowed; killed"
                )
            if not ready and left > LOOK_S:
                continue
            if not ready:
                self.kill()
                raise WorkerFailed(f"no answer within {self.timeout_s:g} s; killed")
            if not (chunk := os.read(self._answers, 1 << 16)):
                raise WorkerFailed(describe_exit(self._wait(), self._log))
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def kill(self) -> None:
        """Kill the process and its process group; the end of the `with` block waits for the process."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # The system may reuse the process id once the server has waited for the process, or has died.
        if not self._gone and self._server.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # all of the group are dead
                os.killpg(self.pid, number)

    def _wait(self) -> int:
        self.kill()  # its own child processes may still run
        code = self._server.request(f"wait {self.pid}")
        self._gone = True
        return code

    def _close(self) -> None:
        os.close(self._commands)
        os.close(self._answers)
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if not self._gone and self._server.alive:
            with contextlib.suppress(WorkerFailed):
                self._wait()  # afterwards it uses no more processor time
        self._close()


class WorkerProcess(ForkedProcess):
    """The process of one variant."""

    def __init__(
        self,
        server: ForkServer,
        hardware: Mapping[str, Any],
        variant: Variant,
        cache: Path,
        timeout_s: float,
        memory_mb: float = math.inf,
    ) -> None:
        """Fork the process for `variant`. See `ForkedProcess` for the limits and the errors.

        Args:
            cache: a folder for files that a runtime compiles.
        """
        super().__init__(server, timeout_s, memory_mb)
        self.send("start", hardware=dict(hardware), target=worker_spec(variant), cache=str(cache))
