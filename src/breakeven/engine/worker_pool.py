"""The fork servers and workers of a replicate: one server for each set of libraries."""

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from breakeven.artifacts import artifact
from breakeven.core import plugin
from breakeven.core.digests import fingerprint
from breakeven.core.errors import Unsupported
from breakeven.core.files import temporary_folder
from breakeven.engine.forkserver_client import ForkServer, WorkerFailed
from breakeven.engine.interpreter import THIS_PYTHON, Interpreter
from breakeven.engine.target import Variant, library, server_modules, shared_modules, worker_spec
from breakeven.engine.worker_client import WorkerProcess


class WorkerPool(ExitStack):
    """A pool of workers with one fork server for each set of libraries, which all end with the `with` block.

    The second worker of a target, a twin, has `copy` 1 and gets a server of its own. It can then differ from
    the first as much as variants of other runtimes do.
    """

    def __init__(
        self,
        hardware: Mapping[str, Any],
        timeout_s: float,
        caches: Path | None = None,
        memory_mb: Callable[[], float] = lambda: math.inf,
        *,
        sharing: bool = False,
    ) -> None:
        """Create a pool without servers.

        Args:
            hardware: the settings of one hardware option.
            timeout_s: the longest wait for an answer of a worker or server, seconds.
            caches: the folder for files that runtimes compile. By default it is temporary and ends with the
                `with` block.
            memory_mb: returns the most resident memory of a worker that starts now, 10**6 bytes. A worker
                that is timed has no limit.
            sharing: let a server serve workers that need only some of its modules. This is for workers that
                nobody times: which server a timed worker comes from must not depend on what ran before.
        """
        super().__init__()
        self._caches = caches or self.enter_context(temporary_folder())
        self.hardware, self.timeout_s, self._memory_mb = hardware, timeout_s, memory_mb
        self._sharing = sharing
        self.environment: dict[str, str] = plugin.load("hardware", hardware, "hardware").environment()
        self._servers: dict[tuple[tuple[str, ...], int, Interpreter], ForkServer] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def expect(self, variants: Iterable[Variant]) -> None:
        """Let those of these variants that are artifacts share fork servers where they can."""
        self._shared = shared_modules(variant for variant in variants if isinstance(variant, Path))

    def prepare(self, variant: Variant, copy: int = 0, interpreter: Interpreter = THIS_PYTHON) -> ForkServer:
        """Return the fork server for `variant`. Start it if there is none, or if it has died."""
        if isinstance(variant, Path):
            card = artifact.read(variant)
            runtime = plugin.load("runtimes", card.settings, f"runtimes.{card.runtime}")
            with contextlib.suppress(Unsupported):  # the worker reports it
                runtime.ready()
        modules = server_modules(variant)
        if isinstance(variant, Path):
            modules = self._shared.get(modules, modules)
        return self.server(modules, copy, interpreter)

    def server(
        self, modules: tuple[str, ...], copy: int = 0, interpreter: Interpreter = THIS_PYTHON
    ) -> ForkServer:
        """Return a fork server that imports these modules, while the caller goes on."""
        place = copy, interpreter
        for (imported, *its_place), server in self._servers.items():
            if (*its_place,) == place and self._serves(imported, modules) and server.alive:
                return server
        server = ForkServer(self.environment, modules, self.timeout_s, interpreter)
        self._servers[modules, *place] = server
        self.callback(server.close)
        return server

    def _serves(self, imported: tuple[str, ...], modules: tuple[str, ...]) -> bool:
        """Return whether a server that imported some modules can serve a worker that needs `modules`.

        A runtime that is built on no library, or on another one, gets no process that holds this library.
        """
        if not self._sharing:
            return imported == modules
        return library(imported) == library(modules) and {*modules} <= {*imported}

    def wait(self) -> None:
        """Wait until all servers have imported their libraries. The workers report a server that has died."""
        for server in self._servers.values():
            with contextlib.suppress(WorkerFailed):
                server.request("ready")

    def memory_mb(self) -> float:
        """Return the memory that the servers hold, 10**6 bytes."""
        held = 0.0
        for server in self._servers.values():
            with contextlib.suppress(psutil.Error):
                held += psutil.Process(server.process.pid).memory_info().rss / 1e6
        return held

    def worker(
        self, variant: Variant, copy: int = 0, interpreter: Interpreter = THIS_PYTHON
    ) -> WorkerProcess:
        """Return a fresh process for `variant`, which the caller uses in a `with` block."""
        compiled_by = [interpreter.executable, *interpreter.folders]
        cache = self._caches / f"{fingerprint([worker_spec(variant), compiled_by])}-{copy}"
        cache.mkdir(exist_ok=True)
        server = self.prepare(variant, copy, interpreter)
        return WorkerProcess(server, self.hardware, variant, cache, self.timeout_s, self._memory_mb())
