"""The way to the steady state, what it costs, and after how many calls that is paid back."""

import math
from collections.abc import Sequence

import numpy as np

from breakeven.engine.samples import Replicate
from breakeven.engine.statistics import UNDECIDED, Interval, latency, mean

NEVER = "never"


def calls_until_steady(replicate: Replicate, within: float = 0.1, window: int = 5) -> int | None:
    """How many calls come before the first `window` whose median is `within` of the steady state's.

    None: that was not reached in the warm-up.
    """
    calls = [replicate.first_call_ms, *replicate.warmup_ms]
    steady = (1 + within) * float(np.median(replicate.calls_ms))
    for start in range(len(calls) - window + 1):
        if calls[start] <= steady and np.median(calls[start : start + window]) <= steady:
            return start
    return None


def start_ms(replicate: Replicate) -> float:
    """Load, and what the calls until the steady state take above it."""
    calls = [replicate.first_call_ms, *replicate.warmup_ms][: calls_until_steady(replicate)]
    steady = float(np.median(replicate.calls_ms))
    return 1000 * replicate.load_s + max(sum(call - steady for call in calls), 0.0)


def cold(replicates: Sequence[Replicate]) -> list[Replicate]:
    """Those that started with empty compiler caches: all of them where the runtime keeps none."""
    return [r for r in replicates if not r.warm]


def breakeven_calls(
    build_ms: Interval,
    base: Sequence[Replicate],
    variant: Sequence[Replicate],
    gain: Interval,
    confidence: float,
) -> tuple[str, str, str]:
    """After how many calls an extra one-off cost is paid back: estimate, lower and upper bound.

    The bounds take build, start, gain and the baseline's time each at the end of its interval, which is
    wider than need be.

    Args:
        build_ms: to build the variant, beyond the baseline.
        gain: the speedup.

    Returns:
        Numbers, or "never" where nothing is saved, or "undecided" where the saving's interval holds zero.
    """
    if gain.low <= 1 <= gain.high:
        return (UNDECIDED,) * 3
    if gain.high < 1:
        return (NEVER,) * 3
    baseline_ms = latency([float(replicate.calls_ms.mean()) for replicate in base], confidence)
    starts = [start_ms(v) - start_ms(b) for b, v in zip(base, variant, strict=True) if not v.warm]
    extra = mean(starts, confidence) if len(starts) > 1 else Interval(starts[0], starts[0], starts[0])

    def calls(once_ms: float, ratio: float, call_ms: float) -> str:
        return str(max(0, math.ceil(once_ms / (call_ms * (1 - 1 / ratio)))))

    return (
        calls(build_ms.value + extra.value, gain.value, baseline_ms.value),
        calls(build_ms.low + extra.low, gain.high, baseline_ms.high),
        calls(build_ms.high + extra.high, gain.low, baseline_ms.low),
    )
