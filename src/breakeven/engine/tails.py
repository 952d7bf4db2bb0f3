"""The 99th percentile of calls, with bounds that know that the calls of a burst are not independent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from breakeven.engine.samples import Replicate

P99 = 0.99
SPARE = 1.25  # blocks for each needed one, because blocks of one replicate are not quite independent


@dataclass(frozen=True)
class Tail:
    """A high percentile of calls, milliseconds. A bound is None if the data cannot hold it."""

    value: float
    low: float | None
    high: float | None


def blocks_for_p99(confidence: float) -> int:
    """Return the number of blocks that usually suffices for bounds of the 99th percentile."""
    return math.ceil(SPARE * _independent_calls_needed(confidence))


def _independent_calls_needed(confidence: float) -> float:
    """Return of how many independent calls the slowest is above the percentile with high probability.

    The slowest of n calls is above it with a probability of 1 - 0.99**n.
    """
    return math.log((1 - confidence) / 2) / math.log(P99)


def p99(replicates: Sequence[Replicate], confidence: float) -> Tail:
    """Return the 99th percentile of all calls, with an interval of its own.

    The method is Woodruff's (1952, Journal of the American Statistical Association 47): find the interval of
    the share of calls that are slower than the estimate, and read the percentiles at its ends. The share's
    interval is that of Korn and Graubard (1998, Survey Methodology 24), for observations in clusters: as
    many independent calls as would give the variance that the clusters show.

    The clusters are blocks or replicates, whichever vary more. Calls of one block share its burst, and calls
    of one replicate its process.

    A block counts for one call at most, because a burst may slow all of them. From 100 blocks without a
    burst, nothing follows about a burst in every hundredth block, however many calls they hold.

    Args:
        replicates: at least two.
    """
    shares = [[np.array(block.calls_ms) for block in replicate.blocks] for replicate in replicates]
    calls = np.concatenate([block for blocks in shares for block in blocks])
    value = float(np.quantile(calls, P99))
    effective = min(_independent_calls(shares, value, confidence), sum(map(len, shares)))
    if effective < _independent_calls_needed(confidence):
        return Tail(value, None, None)
    slower = (1 - P99) * effective
    least = float(stats.beta.ppf((1 - confidence) / 2, slower, effective - slower + 1))
    most = float(stats.beta.ppf((1 + confidence) / 2, slower + 1, effective - slower))
    low, high = np.quantile(calls, [1 - most, 1 - least])
    return Tail(value, float(low), float(high))


def _independent_calls(
    replicates: Sequence[Sequence[NDArray[np.float64]]], limit_ms: float, confidence: float
) -> float:
    """Return how many independent calls tell as much about the share of calls over a limit."""
    counts = [np.array([len(block) for block in blocks]) for blocks in replicates]
    slow = [np.array([(block > limit_ms).sum() for block in blocks]) for blocks in replicates]
    total = float(sum(own.sum() for own in counts))
    share = float(sum(own.sum() for own in slow)) / total
    if share == 0:
        return 0.0
    of_blocks = (np.concatenate(slow), np.concatenate(counts))
    of_replicates = (np.array([own.sum() for own in slow]), np.array([own.sum() for own in counts]))
    kinds = (of_blocks, of_replicates)
    return min(_effective(*clusters, share, total, confidence) for clusters in kinds)


def _effective(
    slow: NDArray[np.int64], counts: NDArray[np.int64], share: float, total: float, confidence: float
) -> float:
    """Return the effective number of calls, for these clusters.

    Args:
        slow: the slow calls of each cluster.
        counts: all calls of each cluster.
        share: slow calls / all calls.
        total: all calls.
    """
    clusters = len(counts)
    if clusters < 2:
        return 0.0
    residuals = (slow - share * counts) / total
    variance = float((residuals**2).sum()) * clusters / (clusters - 1)
    independent = share * (1 - share) / variance if variance else total
    # Korn and Graubard's correction: few clusters say little about the variance.
    known, unknown = stats.t.ppf((1 + confidence) / 2, [max(total - 1, 1), clusters - 1])
    return float(min(independent, total) * (known / unknown) ** 2)
