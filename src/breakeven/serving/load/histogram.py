"""The histogram of latencies: HdrHistogram's, which keeps three digits of each, however long the tail is."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_US = 3_600_000_000  # one hour
DIGITS = 3  # significant ones of each latency


@dataclass(frozen=True)
class Histogram:
    """Counts of latencies, in microseconds.

    Attributes:
        buckets: the highest latency of each bucket, and its count; only buckets that hold one, in order.
        longest_us: the longest latency itself; 0 if there is none.
        encoded: the buckets in HdrHistogram's format V2 (base64), which its tools read, plot and add up.
    """

    buckets: tuple[tuple[int, int], ...]
    longest_us: int
    encoded: str

    @property
    def count(self) -> int:
        """Return the number of latencies."""
        return sum(count for _, count in self.buckets)

    def at_rank(self, rank: int) -> int:
        """Return the latency of this rank, microseconds; rank 1 is the shortest.

        Raises:
            IndexError: there are fewer latencies.
        """
        passed = 0
        for highest_us, count in self.buckets:
            passed += count
            if passed >= rank:
                return min(highest_us, self.longest_us)
        raise IndexError(f"rank {rank} of {passed}")

    def quantile(self, share: float) -> int:
        """Return the shortest latency that this share of all does not exceed, microseconds."""
        return self.at_rank(max(1, math.ceil(share * self.count - 1e-9)))


def of(latencies_us: NDArray[np.int64]) -> Histogram:
    """Return the histogram of latencies, which counts each as at least 1 microsecond and at most 1 hour."""
    from hdrh.histogram import HdrHistogram

    histogram = HdrHistogram(1, LONGEST_US, DIGITS)
    buckets: Counter[int] = Counter()
    values, counts = np.unique(np.clip(latencies_us, 1, LONGEST_US), return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        histogram.record_value(value, count)
        buckets[histogram.get_highest_equivalent_value(value)] += count
    longest_us = int(values.max(initial=0))
    return Histogram(tuple(sorted(buckets.items())), longest_us, histogram.encode().decode("ascii"))
