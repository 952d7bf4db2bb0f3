"""Worker processes from their parent's side: start, ask, and name what killed one."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import breakeven
from breakeven import option
from breakeven.errors import Unsupported

SOURCE = Path(breakeven.__file__).parent.parent


class WorkerFailed(Exception):
    """A worker died, hung or answered with an error: costs its row, with this reason."""


class WorkerProcess:
    """One worker. Use it in a `with` block, so that it cannot outlive it."""

    def __init__(self, hardware: Mapping[str, Any], folder: Path, timeout_s: float, slot: int = 0) -> None:
        """Start the process for the artifact in `folder`; it imports while the parent goes on."""
        self.timeout_s = timeout_s
        device = option.load("hardware", hardware, "hardware")
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "breakeven.measure.worker", str(commands), str(answers)],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **device.environment()},
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C goes to the parent, which ends its workers itself
        )
        os.close(commands)
        os.close(answers)
        self._rest = b""
        self._pending = 0
        self.send("start", hardware=dict(hardware), folder=str(folder), slot=slot)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

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
                self._process.kill()
                raise WorkerFailed(f"no answer within {self.timeout_s:g} s; killed")
            if not (chunk := os.read(self._answers, 1 << 16)):
                raise WorkerFailed(self._obituary())
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _obituary(self) -> str:
        code = self._process.wait()
        cause = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return cause + (f"; its last words: {lines[-1][:300]}" if lines else "")

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._commands)
        self._process.kill()
        self._process.wait()
        os.close(self._answers)
        self._stderr.close()
