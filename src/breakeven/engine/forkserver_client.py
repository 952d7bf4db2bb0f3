"""The fork server from its parent's side: start it, ask it, and name what killed a process."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import breakeven

SOURCE = Path(breakeven.__file__).parent.parent


class WorkerFailed(Exception):
    """A worker died, hung or answered with an error: costs its row, with this reason."""


class ForkServer:
    """A process that has imported `modules` under a hardware's settings, and forks workers."""

    def __init__(self, environment: Mapping[str, str], modules: Sequence[str], timeout_s: float) -> None:
        """Start the process; it imports while the parent goes on."""
        self.timeout_s = timeout_s
        self.channel, channel = socket.socketpair()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "breakeven.engine.forkserver_main", str(channel.fileno()), *modules],
            env={**os.environ, "PYTHONPATH": _path(), **environment},
            pass_fds=(channel.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C goes to the parent, which ends its workers itself
        )
        channel.close()

    def request(self, text: str, descriptors: Sequence[int] = ()) -> int:
        """The server's answer.

        Raises:
            WorkerFailed: it died, hangs, or cannot.
        """
        with contextlib.suppress(OSError):  # the missing answer will tell why
            socket.send_fds(self.channel, [text.encode()], list(descriptors))
        if not select.select([self.channel], [], [], self.timeout_s)[0]:
            self.process.kill()  # a late answer must not be taken for the next one's
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
        """Whether it can still be asked."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the process; its workers end by themselves."""
        self.channel.close()
        self.process.kill()
        self.process.wait()
        self.log.close()


def _path() -> str:
    """The user's own modules are found in a worker as they are here."""
    return os.pathsep.join([str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])])


def describe_exit(code: int, log: IO[bytes]) -> str:
    """What ended a process, and the last that it said."""
    cause = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return cause + (f"; its last words: {lines[-1][:300]}" if lines else "")
