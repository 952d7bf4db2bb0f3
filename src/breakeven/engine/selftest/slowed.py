"""A runtime that is slower by a known share: it waits after each call, in proportion to what that took."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from pydantic import Field

from breakeven.core import plugin
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session


class Slowed(Runtime):
    """Another runtime (`of`: its settings), each call of which takes `share` more of its own time."""

    of: dict[str, Any]
    share: float = Field(ge=0)

    def imports(self, folder: Path) -> tuple[str, ...]:
        """As it does: of two copies in one place neither has the better one."""
        return self.inner.imports(folder)

    @property
    def inner(self) -> Runtime:
        """The runtime that does the work."""
        runtime: Runtime = plugin.load("runtimes", self.of, "of")
        return runtime

    def export(self, source: ExportInput, folder: Path) -> None:
        """As it does."""
        self.inner.export(source, folder)

    def start(self, folder: Path, place: ExecutionContext) -> None:
        """As it does."""
        self.inner.start(folder, place)

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """As it does, with a `run` that ends late."""
        session = self.inner.load(folder, place, preprocessing)
        own = _time_of(_slow(_nothing, 0.0, 0.0)) - _time_of(_nothing)
        return replace(session, run=_slow(session.run, self.share, own))


def _slow(run: Callable[[Any], Any], share: float, own: float) -> Callable[[Any], Any]:
    """`run` with a wait after it: `share` of its time, less the `own` nanoseconds that waiting costs."""
    clock = perf_counter_ns

    def slowed(inputs: Any) -> Any:
        before = clock()
        output = run(inputs)
        now = clock()
        end = now + share * (now - before) - own
        while clock() < end:
            pass
        return output

    return slowed


def _nothing(inputs: Any) -> None:
    pass


def _time_of(run: Callable[[Any], Any], calls: int = 2000) -> float:
    """Nanoseconds a call: the least of some loops, since a burst only adds."""
    times = []
    for _ in range(5):
        started = perf_counter_ns()
        for _ in range(calls):
            run(None)
        times.append((perf_counter_ns() - started) / calls)
    return min(times)
