"""What changing shapes cost: compile for each shape, for any shape after the second, or for any at once."""

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from breakeven.capture.costs import segments, timing
from breakeven.capture.costs.timing import COMPILES_S
from breakeven.core.files import temporary_folder
from breakeven.engine.isolated import IsolatedCalls

BATCHES = (1, 2, 3, 4, 5, 6, 7, 8)  # no more than the different graphs that Dynamo keeps of a function
SETTINGS = {"off": False, "automatic": None, "on": True}  # of `dynamic`
TRIES = 3
EAGER = "eager"


@dataclass(frozen=True)
class Changing:
    """A factory for the engine: one call runs a model on batches of eight sizes."""

    model: str
    setting: str  # a key of `SETTINGS`, or "eager"

    def __call__(self) -> Callable[[], Any]:
        """Return a function without arguments that returns the outputs of the largest batch."""
        run, inputs = _model(self.model, self.setting)
        return lambda: [run(x) for x in inputs][-1]


def _model(model: str, setting: str) -> tuple[Callable[..., Any], list[Any]]:
    network = segments.chain(model)
    inputs = [segments.samples(model, count) for count in BATCHES]
    if setting == EAGER:
        return network, inputs
    return segments.compiled(network, dynamic=SETTINGS[setting]), inputs


def changing_batches(model: str, seconds: float) -> dict[str, Any]:
    """Return for each setting how long the first pass over all sizes takes, its graphs, and later passes.

    Args:
        seconds: to measure later passes for, beyond the first compilation.
    """
    first: dict[str, Any] = {}
    modules = ("torch", "torch._dynamo", "torch._inductor.compile_fx", __name__)
    with temporary_folder() as scratch, IsolatedCalls(modules, scratch, COMPILES_S) as calls:
        for setting in SETTINGS:
            tries = [calls.call(partial(first_pass, model, setting)) for _ in range(TRIES)]
            took = [each["seconds"] for each in tries]
            first[setting] = {
                "seconds": float(np.median(took)),
                "seconds_low": min(took),
                "seconds_high": max(took),
                "graphs": tries[0]["graphs"],
            }
    variants = {name: Changing(model, name) for name in (EAGER, *SETTINGS)}
    found = timing.time(variants, seconds, segments.settle_ms(model))
    return {
        "model": model,
        "first": first,
        "over_eager": {setting: timing.ratio(found, EAGER, setting) for setting in SETTINGS},
        **timing.effort(found, EAGER),
    }


def first_pass(model: str, setting: str) -> dict[str, float]:
    """Run a model on each size once, without any cache on disk; return the seconds and the graphs."""
    import torch._inductor.config
    from torch._dynamo.utils import counters

    torch._inductor.config.force_disable_caches = True
    warnings.filterwarnings("ignore", "dynamo_pgo force disabled")  # as it should be
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # that there is no CUDA
    torch.set_num_threads(1)
    run, inputs = _model(model, setting)
    began = time.perf_counter()
    for x in inputs:
        run(x)
    return {"seconds": time.perf_counter() - began, "graphs": counters["stats"]["unique_graphs"]}
