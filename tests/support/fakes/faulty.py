"""A runtime that at a certain moment does what a library may do to its process."""

import ctypes
import fcntl
import os
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np

from breakeven.plugins.runtimes.base import ExportInput, Runtime, Session
from fakes import logits


def segfault(output: Any) -> None:
    """Read where nothing is."""
    os.write(2, b"loading\nreading address 0\n")
    ctypes.string_at(0)


def killed(output: Any) -> None:
    """As the kernel does when there is no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


def hard_exit(output: Any) -> None:
    """As a library in C does that gives up."""
    os.write(2, b"error: no such kernel\n")
    os._exit(3)


def soft_exit(output: Any) -> None:
    """As a script does."""
    sys.exit("no licence found")


def hang(output: Any) -> None:
    """As in a deadlock."""
    time.sleep(10_000)


def error(output: Any) -> None:
    """As most mistakes show."""
    raise ValueError("a shape of 3\nand more that nobody reads")


def garbage(output: Any) -> None:
    """Write to every pipe that can be written to, the one for the answers among them."""
    for descriptor in range(3, 64):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            if is_pipe and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
                os.write(descriptor, b"\xff not an answer\n")
        except OSError:
            continue


def lie(output: Any) -> Any:
    """Compute something else."""
    return -output


FAULTS = {f.__name__: f for f in (segfault, killed, hard_exit, soft_exit, hang, error, garbage, lie)}


class Faulty(Runtime):
    """`fault` happens at a moment that does not depend on how fast the machine is."""

    modules = ("numpy",)
    fault: str = ""  # one of FAULTS; none: it is healthy
    when: Literal["start", "load", "first call", "warm-up", "block"] = "block"

    def export(self, source: ExportInput, folder: Path) -> None:
        """It is not made from a model."""
        raise NotImplementedError

    def start(self, folder: Path, *place: Any) -> None:
        """Or not."""
        self._at("start")

    def load(self, folder: Path, *place: Any) -> Session:
        """Or not."""
        self._at("load")
        woken = calls = 0

        def wake(number: int, frame: object) -> None:
            nonlocal woken
            woken += 1

        # An idle worker is stopped, and continued for each of its blocks.
        signal.signal(signal.SIGCONT, wake)

        def run(inputs: Any) -> Any:
            nonlocal calls
            calls += 1
            moment = "block" if woken >= 2 else {1: "first call", 3: "warm-up"}.get(calls, "")
            return self._at(moment, logits(inputs))

        return Session(np.ascontiguousarray, run, np.asarray)

    def _at(self, moment: str, output: Any = None) -> Any:
        if self.fault and moment == self.when:
            changed = FAULTS[self.fault](output)
            return output if changed is None else changed
        return output
