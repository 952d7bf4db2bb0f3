"""A runtime that is slower by a known share, because it waits after each call in proportion to its time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any, ClassVar

from pydantic import Field

from breakeven.core import plugin
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session


class Slowed(Runtime):
    """A runtime that runs another one, and makes each call take longer by a share.

    Attributes:
        of: the settings of the other runtime.
        share: the extra time of a call, as a share of its own time.
    """

    modules: ClassVar[tuple[str, ...]] = ()  # `imports` gives those of the inner runtime

    of: dict[str, Any]
    share: float = Field(ge=0)

    def imports(self, folder: Path) -> tuple[str, ...]:
        """Return the imports of the inner runtime, so that this variant shares the baseline's fork server.

        A shared server gives both the same memory layout of libraries.
        """
        return self.inner.imports(folder)

    @property
    def inner(self) -> Runtime:
        """Return the inner runtime, which does the work."""
        runtime: Runtime = plugin.load("runtimes", self.of, "of")
        return runtime

    @property
    def caches(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the variables of the inner runtime's compiler caches."""
        return self.inner.caches

    def export(self, source: ExportInput, folder: Path) -> None:
        """Export with the inner runtime."""
        self.inner.export(source, folder)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Start the inner runtime."""
        self.inner.start(folder, context)

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Return the session of the inner runtime, with a `run` that ends late."""
        session = self.inner.load(folder, context, preprocessing)
        wrapper_ns = _time_of(_slow(_nothing, 0.0, 0.0)) - _time_of(_nothing)
        return replace(session, run=_slow(session.run, self.share, wrapper_ns))


def _slow(run: Callable[[Any], Any], share: float, wrapper_ns: float) -> Callable[[Any], Any]:
    """Return `run` with a wait after each call.

    Args:
        share: the wait, as a share of the call's time.
        wrapper_ns: the time that the wrapper itself takes, which shortens the wait, nanoseconds.
    """
    clock = perf_counter_ns

    def slowed(inputs: Any) -> Any:
        before = clock()
        output = run(inputs)
        now = clock()
        end = now + share * (now - before) - wrapper_ns
        while clock() < end:
            pass
        return output

    return slowed


def _nothing(inputs: Any) -> None:
    pass


def _time_of(run: Callable[[Any], Any], calls: int = 2000) -> float:
    """Return the time of a call, nanoseconds: the shortest of five loops, because bursts only add time."""
    times = []
    for _ in range(5):
        started = perf_counter_ns()
        for _ in range(calls):
            run(None)
        times.append((perf_counter_ns() - started) / calls)
    return min(times)
