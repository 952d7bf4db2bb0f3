"""Cells of a study: each runs in a process of its own, and as many run at once as there are cores."""

import os
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from breakeven.capture import way
from breakeven.capture.judge import Maker, judge
from breakeven.capture.outcome import Outcome
from breakeven.core.errors import Failed, Unsupported, UserError, WrongOutput
from breakeven.core.files import temporary_folder, write_json
from breakeven.core.system_info import cores
from breakeven.core.toolchain_errors import telling_line
from breakeven.engine.isolated import IsolatedCalls

TIMEOUT_S = 120.0  # for one cell; five times as much for one that compiles
LIBRARIES = (
    "torch",
    "torch._dynamo",
    "torch.export",
    "torch.fx",
    "functorch.compile",
)  # that processes begin with
CODE = "breakeven.capture.judge"


class Cells(ExitStack):
    """Tries cells, in a thread for each core. A thread waits for one process at a time."""

    def __init__(self) -> None:
        """Start nothing yet."""
        super().__init__()
        self._scratch = self.enter_context(temporary_folder())
        self._threads = ThreadPoolExecutor(cores())
        self._servers: dict[tuple[int, float, tuple[str, ...]], IsolatedCalls] = {}
        self._is_over = threading.Event()
        self.callback(self._end)

    def submit(
        self, model: str, make: Maker, way_name: str, file: Path, modules: tuple[str, ...]
    ) -> "Future[None]":
        """Begin to try a model in a way; afterwards `file` holds the outcome.

        Args:
            modules: that the process begins with, besides those of the way.
        """
        return self._threads.submit(self._try, model, make, way_name, file, modules)

    def _try(self, model: str, make: Maker, way_name: str, file: Path, modules: tuple[str, ...]) -> None:
        if self._is_over.is_set():
            return
        outcome = _outcome(self._calls(way_name, modules), model, make, way_name)
        if not self._is_over.is_set():  # else we ourselves have killed the process
            write_json(file, asdict(outcome))

    def _calls(self, way_name: str, modules: tuple[str, ...]) -> IsolatedCalls:
        """Return the calls of this thread that begin with some modules and those of a way."""
        own = way.load(way_name)
        limit_s = TIMEOUT_S * (5 if own.is_heavy else 1)
        key = threading.get_ident(), limit_s, (*own.modules, *modules)
        if key not in self._servers:
            place = Path(tempfile.mkdtemp(dir=self._scratch))
            self._servers[key] = IsolatedCalls((*LIBRARIES, CODE, *key[2]), place, limit_s)
        return self._servers[key]

    def _end(self) -> None:
        self._is_over.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for calls in list(self._servers.values()):
            calls.kill()
        self._threads.shutdown()
        for calls in self._servers.values():
            calls.close()


def _outcome(calls: IsolatedCalls, model: str, make: Maker, way_name: str) -> Outcome:
    try:
        return calls.call(partial(_cell, model, make, way_name))
    except (UserError, Unsupported, WrongOutput) as error:
        return Outcome(model, way_name, "refused", telling_line(str(error)))
    except Failed as error:
        return Outcome(model, way_name, "crash", telling_line(str(error)))


def _cell(model: str, make: Maker, way_name: str) -> Outcome:
    """Return the outcome of one cell; for its own process."""
    silence()
    torch.set_num_threads(1)  # the other cores have cells of their own
    return judge(model, way_name, way.load(way_name), make, Path(tempfile.mkdtemp()))


def silence() -> None:
    """Drop what this process prints from now on: its tools may print what they like."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
