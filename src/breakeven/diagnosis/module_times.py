"""The time in each module of a model, by clocks before and after its forward."""

import time
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from breakeven.diagnosis.hooks import around_modules
from breakeven.plugins.runtimes.base import Session
from breakeven.results.time_profile import ModulePart


@dataclass
class _Clocks:
    """The calls that are going on, and the time that each module has taken so far."""

    open: list[tuple[str, int, int]] = field(default_factory=list)  # name, begin, time in modules inside it
    spent_ns: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def begin(self, name: str) -> None:
        self.open.append((name, time.perf_counter_ns(), 0))

    def end(self, name: str) -> None:
        now = time.perf_counter_ns()
        _, began, inside = self.open.pop()
        self.spent_ns[name] = self.spent_ns.get(name, 0) + now - began - inside
        self.calls[name] = self.calls.get(name, 0) + 1
        if self.open:
            outer, started, so_far = self.open[-1]
            self.open[-1] = (outer, started, so_far + now - began)


def module_times(session: Session, inputs: tuple[Tensor, ...], calls: int) -> list[ModulePart]:
    """Return the modules of the session's model, the slowest first; empty where no Python runs.

    The clocks themselves take time, most where modules are many and small: read the times as shares.

    Args:
        inputs: what the session's `prepare` gives.
        calls: how many times the model is called.
    """
    if session.module is None:
        return []
    totals: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    kinds = {name: type(module).__name__ for name, module in session.module.named_modules()}
    clocks = _Clocks()
    with around_modules(session.module, clocks.begin, clocks.end):
        for _ in range(calls):
            clocks.open.clear()
            clocks.spent_ns, clocks.calls = {}, {}
            session.run(inputs)
            for name, ns in clocks.spent_ns.items():
                totals.setdefault(name, []).append(ns)
            counts = clocks.calls
    parts = [
        ModulePart(name, kinds[name], float(np.median(ns)) / 1e3, counts.get(name, 0))
        for name, ns in totals.items()
    ]
    return sorted(parts, key=lambda part: -part.us)
