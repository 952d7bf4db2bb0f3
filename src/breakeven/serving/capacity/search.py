"""The highest rate of requests at which a service keeps its limit on the 99th percentile."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from scipy import stats

from breakeven.results.served import CONFIDENCE

STEP = 1.1  # between two rates: the answer is no finer
MOST_DOUBLINGS = 8  # away from the first rate
MOST_HALVINGS = 6
ENOUGH = 2  # blocks above the limit, after which a rate is given up


@dataclass(frozen=True)
class Rate:
    """A rate with the blocks in which it was tried."""

    per_s: float
    p99_ms: list[float]  # one a block; infinite where requests failed or piled up
    bound_ms: float  # upper bound of the p99, over the blocks


@dataclass(frozen=True)
class Capacity:
    """How much a service takes."""

    rate: Rate | None  # the highest at which the bound is within the limit; None: not even the lowest
    above: Rate  # the lowest tried at which it is not


Block = Callable[[float, int], float]  # rate and seed -> p99 in milliseconds


def capacity(block: Block, first: float, limit_ms: float, replicates: int) -> Capacity:
    """Find the highest rate whose p99 is surely within the limit.

    Single blocks find about where it is. Then replicates decide: requests of one burst are not independent,
    so the bound is over blocks. It is that of Student's t on the logarithms, at 95% on one side.

    Args:
        first: a rate to begin with.
        limit_ms: on the 99th percentile.
        replicates: blocks for each rate that is decided.
    """
    seeds = count()

    def tried(rate: float) -> Rate:
        p99_ms: list[float] = []
        while len(p99_ms) < replicates and not _is_hopeless(p99_ms, limit_ms):
            p99_ms.append(block(rate, next(seeds)))
        return Rate(rate, p99_ms, math.inf if _is_hopeless(p99_ms, limit_ms) else upper_bound(p99_ms))

    found = tried(_about(block, first, limit_ms, seeds))
    if found.bound_ms > limit_ms:
        while found.bound_ms > limit_ms and found.per_s > first / 2**MOST_HALVINGS:
            above, found = found, tried(found.per_s / STEP)
        return Capacity(found, above) if found.bound_ms <= limit_ms else Capacity(None, found)
    # One bad block may have begun too low.
    while (next_one := tried(found.per_s * STEP)).bound_ms <= limit_ms:
        found = next_one
    return Capacity(found, next_one)


def _is_hopeless(p99_ms: list[float], limit_ms: float) -> bool:
    """Return whether more blocks would hardly bring the bound under the limit, so that they are spared."""
    return math.inf in p99_ms or (len(p99_ms) >= ENOUGH and min(p99_ms) > limit_ms)


def _about(block: Block, first: float, limit_ms: float, seeds: Iterator[int]) -> float:
    """Return a rate near the highest one, as single blocks say."""
    low, high, rate = 0.0, math.inf, first
    for _ in range(2 * MOST_DOUBLINGS):
        if block(rate, next(seeds)) <= limit_ms:
            low = rate
        else:
            high = rate
        if (low and high / low <= STEP) or (not low and rate < first / 2**MOST_HALVINGS):
            break
        rate = 2 * low if math.isinf(high) else math.sqrt(low * high) if low else high / 2
    return low or rate


def upper_bound(p99_ms: list[float]) -> float:
    """Return the upper bound of the mean logarithm, as a latency; infinite if one is, or for one block."""
    if len(p99_ms) < 2 or not np.isfinite(p99_ms).all():
        return math.inf
    logs = np.log(p99_ms)
    half = stats.t.ppf(CONFIDENCE, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs))
    return float(np.exp(logs.mean() + half))
