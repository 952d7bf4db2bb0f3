"""The typical time of a call in this process, unprofiled."""

import time
from collections.abc import Callable

import numpy as np

from breakeven.engine.statistics import Interval, mean

WARM_UP = 5  # calls
LEAST = 3  # calls in a block
CONFIDENCE = 0.95


def p50_us(call: Callable[[], object], seconds: float) -> float:
    """Return the median duration of the calls that fit into some time."""
    for _ in range(WARM_UP):
        call()
    return block_us(call, seconds)


def block_us(call: Callable[[], object], seconds: float) -> float:
    """Return the median duration of a block of calls, without calls before it."""
    durations: list[int] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(durations) < LEAST:
        started = time.perf_counter_ns()
        call()
        durations.append(time.perf_counter_ns() - started)
    return float(np.median(durations)) / 1e3


def interval_us(blocks: list[float]) -> Interval:
    """Return the mean of the blocks' medians with its interval."""
    return mean(blocks, CONFIDENCE)
