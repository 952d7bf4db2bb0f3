"""What a graph break adds to a call, and what whole graphs are worth: five numbers of breaks, five tools."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from breakeven.capture.costs import segments
from breakeven.capture.costs.budget import budget
from breakeven.core.errors import Failed
from breakeven.engine.api import measure
from breakeven.engine.result import Result

COUNTS = (0, 1, 2, 4, 8)
CONFIDENCE = 0.95
EAGER, WHOLE, PARTS = "eager", "one graph", "nine graphs"
LAZY, LAZY_PARTS = "LazyTensor, one graph", "LazyTensor, nine graphs"
MOST = max(COUNTS)


@dataclass(frozen=True)
class Call:
    """A factory for the engine: it makes a model in a fresh process, and returns the call to time."""

    model: str
    breaks: int
    tool: str = "compile"  # or "eager", "lazy"

    def __call__(self) -> Callable[[], Any]:
        """Return a function without arguments that runs the model on one sample."""
        return {"compile": self._compiled, "eager": self._eager, "lazy": self._lazy}[self.tool]()

    def _eager(self) -> Callable[[], Any]:
        network, x = segments.chain(self.model), segments.samples(self.model, 1)
        return lambda: network(x)

    def _compiled(self) -> Callable[[], Any]:
        network, x = segments.chain(self.model, self.breaks), segments.samples(self.model, 1)
        compiled = segments.compiled(network, whole=not self.breaks)
        return lambda: compiled(x)

    def _lazy(self) -> Callable[[], Any]:
        import torch
        import torch._lazy
        import torch._lazy.ts_backend

        torch._lazy.ts_backend.init()
        network = segments.chain(self.model, self.breaks, torch._lazy.mark_step).to("lazy")
        x = segments.samples(self.model, 1)

        def call() -> Any:
            output = network(x.to("lazy"))
            torch._lazy.mark_step()
            return output.cpu()

        return call


def per_break(model: str, seconds: float) -> dict[str, Any]:
    """Measure a model with 0, 1, 2, 4 and 8 breaks; return the line through their times.

    In each replicate all five run side by side, and a line is fitted to their five times. The interval of
    the slope is that of the mean of the replicates' slopes.

    Args:
        seconds: to measure for, beyond the first compilation.
    """
    variants = {f"{count} breaks": Call(model, count) for count in COUNTS}
    found = measure(variants, budget=budget(seconds))
    times_us = 1000 * np.array([_levels_ms(found, name) for name in variants])  # (counts, replicates)
    slopes = np.array([stats.linregress(COUNTS, own).slope for own in times_us.T])
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(slopes) - 1) * stats.sem(slopes)
    slope = float(slopes.mean())
    return {
        "model": model,
        "us": dict(zip(map(str, COUNTS), times_us.mean(axis=1).tolist(), strict=True)),
        "slope_us": slope,
        "slope_us_low": slope - float(half),
        "slope_us_high": slope + float(half),
        "start_us": float(times_us.mean() - slope * np.mean(COUNTS)),
        "replicates": len(slopes),
        "warnings": [warning.name for warning in found.warnings],
    }


def tools(model: str, seconds: float) -> dict[str, Any]:
    """Measure a model in eager mode, compiled whole and in nine graphs, and likewise by LazyTensor."""
    variants = {
        EAGER: Call(model, 0, "eager"),
        WHOLE: Call(model, 0),
        PARTS: Call(model, MOST),
        LAZY: Call(model, 0, "lazy"),
        LAZY_PARTS: Call(model, MOST, "lazy"),
    }
    found = measure(variants, budget=budget(seconds))
    return {
        "model": model,
        "eager_us": 1e6 * _timed(found, EAGER).value,
        "over_eager": {name: _speedup(found, EAGER, name) for name in variants if name != EAGER},
        # How many times as long the parts take as the whole
        "parts_over_whole": {
            "compile": _speedup(found, PARTS, WHOLE),
            "lazy": _speedup(found, LAZY_PARTS, LAZY),
        },
        "replicates": len(found[EAGER].replicates),
        "warnings": [warning.name for warning in found.warnings],
    }


def _levels_ms(found: Result, name: str) -> list[float]:
    """Return the median call of each replicate."""
    _timed(found, name)
    return [float(np.median(replicate.calls_ms)) for replicate in found[name].replicates]


def _timed(found: Result, name: str) -> Any:
    """Return the time of a variant.

    Raises:
        Failed: it has none.
    """
    if not (time := found[name].time):
        raise Failed(f"{name}: {found[name].verdict}, {found[name].reason}")
    return time


def _speedup(found: Result, base: str, name: str) -> list[float]:
    """Return how many times as fast a variant is as another one, and its interval."""
    _timed(found, name)
    interval = found.compare(base, name).speedup
    assert interval is not None
    return [interval.value, interval.low, interval.high]
