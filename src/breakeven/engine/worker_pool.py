"""Where the workers of a replicate come from: a fork server for each set of libraries."""

import contextlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from breakeven.artifacts import artifact
from breakeven.core import plugin
from breakeven.core.errors import Unsupported
from breakeven.core.files import fingerprint
from breakeven.engine.forkserver_client import ForkServer, WorkerFailed
from breakeven.engine.target import Variant, server_modules, worker_spec
from breakeven.engine.worker_client import WorkerProcess


class WorkerPool(ExitStack):
    """Starts workers: one server for each set of libraries, all ended with the block.

    A second worker of the same artifact (a twin) is asked for as `copy` 1, and gets a server of its own: it
    is to differ from the first as much as the variants of other runtimes do.
    """

    def __init__(self, hardware: Mapping[str, Any], timeout_s: float, caches: Path | None = None) -> None:
        """Without `caches`, what a runtime compiles is forgotten with the block."""
        super().__init__()
        self._caches = caches or Path(self.enter_context(TemporaryDirectory()))
        self.hardware, self.timeout_s = hardware, timeout_s
        self.environment: dict[str, str] = plugin.load("hardware", hardware, "hardware").environment()
        self._servers: dict[tuple[tuple[str, ...], int], ForkServer] = {}

    def prepare(self, variant: Variant, copy: int = 0) -> ForkServer:
        """Return the server for `variant`, started by the first that needs it, and again if it has died."""
        if isinstance(variant, Path):
            card = artifact.read(variant)
            runtime = plugin.load("runtimes", card.settings, f"runtimes.{card.runtime}")
            with contextlib.suppress(Unsupported):  # the worker itself will say so
                runtime.ready()
        modules = server_modules(variant)
        server = self._servers.get((modules, copy))
        if server is None or not server.alive:
            server = self._servers[modules, copy] = ForkServer(self.environment, modules, self.timeout_s)
            self.callback(server.close)
        return server

    def wait(self) -> None:
        """Return when all servers have imported their libraries; one that died is told of by its workers."""
        for server in self._servers.values():
            with contextlib.suppress(WorkerFailed):
                server.request("ready")

    def memory_mb(self, workers: Iterable[WorkerProcess]) -> float:
        """What the servers and these workers hold, 10**6 bytes."""
        held = sum(worker.memory_mb for worker in workers)
        for server in self._servers.values():
            with contextlib.suppress(psutil.Error):
                held += psutil.Process(server.process.pid).memory_info().rss / 1e6
        return held

    def worker(self, variant: Variant, copy: int = 0) -> WorkerProcess:
        """Return a fresh process for `variant`; to be used in a `with` block."""
        cache = self._caches / f"{fingerprint(worker_spec(variant))}-{copy}"
        cache.mkdir(exist_ok=True)
        return WorkerProcess(self.prepare(variant, copy), self.hardware, variant, cache, self.timeout_s)
