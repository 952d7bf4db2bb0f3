"""The cost of reaching the steady state, and the number of calls that pays it back."""

import math
from collections.abc import Sequence

import numpy as np

from breakeven.engine.samples import Replicate
from breakeven.engine.statistics import UNDECIDED, Interval, latency, mean

NEVER = "never"


def calls_until_steady(replicate: Replicate, within: float = 0.1, window: int = 5) -> int | None:
    """Return how many calls of a replicate come before its steady state; None if the warm-up is too short.

    The steady state begins at the first call that is fast enough itself and starts `window` calls whose
    median is fast enough. Fast enough is at most 1 + `within` times the median call of the blocks.
    """
    calls = [replicate.first_call_ms, *replicate.warmup_ms]
    steady = (1 + within) * float(np.median(replicate.calls_ms))
    for start in range(len(calls) - window + 1):
        if calls[start] <= steady and np.median(calls[start : start + window]) <= steady:
            return start
    return None


def start_ms(replicate: Replicate) -> float:
    """Return the load time plus the excess of the calls before the steady state, milliseconds.

    The excess of a call is its time above the median call of the blocks.
    """
    calls = [replicate.first_call_ms, *replicate.warmup_ms][: calls_until_steady(replicate)]
    steady = float(np.median(replicate.calls_ms))
    return 1000 * replicate.load_s + max(sum(call - steady for call in calls), 0.0)


def cold(replicates: Sequence[Replicate]) -> list[Replicate]:
    """Return the replicates that started with empty compiler caches.

    A runtime without such a cache starts cold in every replicate.
    """
    return [r for r in replicates if not r.warm]


def breakeven_calls(
    once_ms: Interval,
    base: Sequence[Replicate],
    variant: Sequence[Replicate],
    gain: Interval,
    confidence: float,
) -> tuple[str, str, str]:
    """Return after how many calls a variant's extra one-off cost is paid back.

    The one-off cost is the extra time to make and to start the variant. Each bound takes both times, the
    gain and the baseline's time at an end of their intervals, so the bounds are wider than necessary.

    Args:
        once_ms: the time to make the variant, beyond the time to make the baseline, milliseconds: training
            of the compression, and build.
        gain: the speedup of the variant.

    Returns:
        The estimate, the lower and the upper bound. All three are "never" if the variant is slower, and
        "undecided" if the interval of the speedup holds 1.
    """
    if gain.low <= 1 <= gain.high:
        return (UNDECIDED,) * 3
    if gain.high < 1:
        return (NEVER,) * 3
    baseline_ms = latency([float(replicate.calls_ms.mean()) for replicate in base], confidence)
    # A variant that stopped being measured has fewer replicates.
    starts = [start_ms(v) - start_ms(b) for b, v in zip(base, variant, strict=False) if not v.warm]
    extra = mean(starts, confidence) if len(starts) > 1 else Interval(starts[0], starts[0], starts[0])

    def calls(cost_ms: float, ratio: float, call_ms: float) -> str:
        return str(max(0, math.ceil(cost_ms / (call_ms * (1 - 1 / ratio)))))

    return (
        calls(once_ms.value + extra.value, gain.value, baseline_ms.value),
        calls(once_ms.low + extra.low, gain.high, baseline_ms.high),
        calls(once_ms.high + extra.high, gain.low, baseline_ms.low),
    )
