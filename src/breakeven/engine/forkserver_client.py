"""The parent's side of a fork server: it starts the server, sends requests, and explains dead processes."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

from breakeven.core.errors import Failed
from breakeven.core.secrets import redact
from breakeven.engine.interpreter import THIS_PYTHON, Interpreter


class WorkerFailed(Failed):
    """The death, hang or error of a worker; its message becomes the reason in the variant's row."""


class WorkerRaised(WorkerFailed):
    """An exception of a library in a worker that lives on; the machine is not its cause."""


class ForkServer:
    """A process that imports modules in a hardware's environment, and forks workers."""

    def __init__(
        self,
        environment: Mapping[str, str],
        modules: Sequence[str],
        timeout_s: float,
        interpreter: Interpreter = THIS_PYTHON,
    ) -> None:
        """Start the process, and return while it still imports `modules`."""
        self.timeout_s = timeout_s
        self.channel, channel = socket.socketpair()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self.process = subprocess.Popen(
            [
                interpreter.executable,
                "-m",
                "breakeven.engine.forkserver_main",
                str(channel.fileno()),
                *modules,
            ],
            env={**os.environ, "PYTHONPATH": interpreter.path, **environment},
            pass_fds=(channel.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C reaches only the parent, which ends its workers
        )
        channel.close()

    def request(self, text: str, descriptors: Sequence[int] = ()) -> int:
        """Send a request with open file descriptors, and return the server's answer.

        Raises:
            WorkerFailed: the server died, did not answer in time, or could not do it.
        """
        with contextlib.suppress(OSError):  # the missing answer is explained below
            socket.send_fds(self.channel, [text.encode()], list(descriptors))
        if not select.select([self.channel], [], [], self.timeout_s)[0]:
            self.process.kill()  # a late answer must not answer the next request
            raise WorkerFailed(
                f"the process that imports its libraries hung for {self.timeout_s:g} s; killed"
            )
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = self.channel.recv(300)
        if not answer:
            cause = describe_exit(self.process.wait(), self.log)
            raise WorkerFailed(f"the process that imports its libraries was {cause}")
        if answer.startswith(b"!"):
            raise WorkerFailed(answer[1:].decode())
        return int(answer)

    @property
    def alive(self) -> bool:
        """Return whether the process still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """Kill the process; its workers end by themselves."""
        self.channel.close()
        self.process.kill()
        self.process.wait()
        self.log.close()


def describe_exit(code: int, log: IO[bytes]) -> str:
    """Return the signal or exit code that ended a process, and the last line of its log."""
    cause = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return cause + (f"; its last words: {redact(lines[-1])[:300]}" if lines else "")
