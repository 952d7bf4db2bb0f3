"""The timing of costs: how long it may take, and how its results are read."""

from collections.abc import Callable, Mapping
from typing import Any

from breakeven.core.errors import Failed
from breakeven.engine.api import measure
from breakeven.engine.result import Result
from breakeven.engine.settings import Budget

COMPILES_S = 600.0  # the longest wait for a model that is compiled for the first time


def time(variants: Mapping[str, Callable[[], Callable[[], Any]]], seconds: float, settle_ms: float) -> Result:
    """Time variants side by side, in at least five replicates.

    Args:
        variants: name -> a factory of its call.
        seconds: to measure for, in all variants together, beyond the first compilation.
        settle_ms: to call a variant before each block, at most, so that its weights are in the caches.

    Raises:
        Failed: a variant was not timed.
    """
    found = measure(
        variants,
        budget=Budget(
            seconds=seconds,
            seconds_per_variant=0.0,
            min_replicates=5,
            narrow_replicates=8,
            rounds=10,
            settle_ms=settle_ms,
            timeout_s=COMPILES_S,
        ),
    )
    for name in variants:
        if not found[name].time:
            raise Failed(f"{name}: {found[name].verdict}, {found[name].reason}")
    return found


def us(found: Result, name: str) -> float:
    """Return the time of a call, microseconds."""
    time = found[name].time
    assert time is not None
    return 1e6 * time.value


def ratio(found: Result, base: str, name: str) -> list[float]:
    """Return how many times as fast a variant is as another one, and the ends of its interval."""
    interval = found.compare(base, name).speedup
    assert interval is not None
    return [interval.value, interval.low, interval.high]


def effort(found: Result, name: str) -> dict[str, Any]:
    """Return how often a variant was measured, and the names of the run's warnings."""
    warnings = [warning.name for warning in found.warnings]
    return {"replicates": len(found[name].replicates), "warnings": warnings}
