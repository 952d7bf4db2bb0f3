"""An upper bound for the 99th percentile, from the ranks of the latencies.

MLPerf's LoadGen decides by the same binomial distribution whether a run had enough requests. Of n independent
requests, the number below the true percentile is binomial, whatever distribution the latencies have. So the
latency of a rank that this number hardly ever reaches is an upper bound of the percentile.

Requests that wait in one queue are not independent: slow ones come in groups. The true level of confidence is
then lower than the stated one. Several runs with other seeds tell by how much.
"""

import math
from dataclasses import dataclass

from breakeven.serving.load.histogram import Histogram

P99 = 0.99
CONFIDENCES = (0.95, 0.99)


@dataclass(frozen=True)
class Bound:
    """An upper bound of the 99th percentile.

    Attributes:
        confidence: its level.
        ms: the bound, milliseconds; None if the requests cannot give one.
        reason: why there is none; "" if there is one.
    """

    confidence: float
    ms: float | None
    reason: str = ""


def bounds_of(histogram: Histogram, errors: int) -> tuple[Bound, ...]:
    """Return the bound at each level of confidence, for all requests: an error counts as endlessly slow."""
    return tuple(_bound(histogram, errors, confidence) for confidence in CONFIDENCES)


def _bound(histogram: Histogram, errors: int, confidence: float) -> Bound:
    total, fewest = histogram.count + errors, requests_needed(confidence)
    if total < fewest:
        why = f"too few requests: it takes {fewest} without an error, and there are {total}"
        return Bound(confidence, None, why)
    rank = rank_of_bound(total, confidence)
    if rank is None or rank > histogram.count:
        return Bound(confidence, None, f"too many errors: {errors} of {total} requests")
    return Bound(confidence, histogram.at_rank(rank) / 1e3)


def rank_of_bound(count: int, confidence: float) -> int | None:
    """Return the lowest rank whose latency is an upper bound; None if the slowest request is none, either.

    The latency of rank k is below the true percentile only if k or more of all requests are below it.

    Args:
        count: the number of requests.
        confidence: the level of the bound.
    """
    from scipy.stats import binom

    rank = int(binom.ppf(confidence, count, P99)) + 1
    return rank if rank <= count else None


def requests_needed(confidence: float) -> int:
    """Return the fewest requests whose slowest one is an upper bound: 299 at 95%, 459 at 99%."""
    return math.ceil(math.log(1 - confidence) / math.log(P99))
