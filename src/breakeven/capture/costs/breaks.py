"""What a graph break adds to a call, and what whole graphs are worth: five numbers of breaks, five tools."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from breakeven.capture.costs import segments, timing
from breakeven.core.files import temporary_folder
from breakeven.engine.isolated import IsolatedCalls

COUNTS = (0, 1, 2, 4, 8)
CONFIDENCE = 0.95
EAGER, WHOLE, PARTS = "eager", "one graph", "nine graphs"
LAZY, LAZY_PARTS = "LazyTensor, one graph", "LazyTensor, nine graphs"
MOST = max(COUNTS)
LAZY_WARM_UP = 3  # calls, after which the graphs stay the same
LAZY_S = 120.0  # the longest wait for two lazy calls


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


def _lazy_graphs(model: str) -> int:
    """Return how many graphs LazyTensor runs in one call, where nothing breaks them on purpose."""
    with temporary_folder() as scratch, IsolatedCalls(("torch", __name__), scratch, LAZY_S) as calls:
        return calls.call(partial(count_lazy_graphs, model))


def count_lazy_graphs(model: str) -> int:
    """Count the graphs of a call; for its own process.

    An operator that LazyTensor has not lowered ends a graph: it is run by torch itself.
    """
    import torch._lazy.metrics

    call = Call(model, 0, "lazy")()
    for _ in range(LAZY_WARM_UP):
        call()
    metrics: Any = torch._lazy.metrics
    metrics.reset()
    call()
    return sum(metrics.counter_value(name) or 0 for name in ("CachedCompile", "UncachedCompile"))


def per_break(model: str, seconds: float) -> dict[str, Any]:
    """Measure a model with 0, 1, 2, 4 and 8 breaks; return the line through their times.

    In each replicate all five run side by side, and a line is fitted to their five times. The interval of
    the slope is that of the mean of the replicates' slopes.

    Args:
        seconds: to measure for, beyond the first compilation.
    """
    variants = {f"{count} breaks": Call(model, count) for count in COUNTS}
    found = timing.time(variants, seconds, segments.settle_ms(model))
    medians_ms = [[np.median(one.calls_ms) for one in found[name].replicates] for name in variants]
    times_us = 1000 * np.array(medians_ms)  # (counts, replicates)
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
        **timing.effort(found, "0 breaks"),
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
    found = timing.time(variants, seconds, segments.settle_ms(model))
    return {
        "model": model,
        "lazy_graphs": _lazy_graphs(model),
        "eager_us": timing.us(found, EAGER),
        "over_eager": {name: timing.ratio(found, EAGER, name) for name in variants if name != EAGER},
        # How many times as long the parts take as the whole
        "parts_over_whole": {
            "compile": timing.ratio(found, PARTS, WHOLE),
            "lazy": timing.ratio(found, LAZY_PARTS, LAZY),
        },
        **timing.effort(found, EAGER),
    }
