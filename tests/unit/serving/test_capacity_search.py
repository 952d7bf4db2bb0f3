"""The highest rate that keeps a limit is found, on a queue whose answer is known."""

import math

import numpy as np
import pytest

from breakeven.serving.capacity.measure import limit_of
from breakeven.serving.capacity.search import STEP, capacity, upper_bound

SERVICE_S = 0.002
REQUESTS = 6000


def p99_ms(rate: float, seed: int) -> float:
    """Of one server that takes 2 ms a request, with arrivals at random times (Lindley's recursion)."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, REQUESTS)
    wait, waits = 0.0, np.empty(REQUESTS)
    for number, gap in enumerate(gaps):
        wait = max(wait + SERVICE_S - gap, 0.0) if number else 0.0
        waits[number] = wait
    return float(1e3 * (np.quantile(waits, 0.99) + SERVICE_S))


@pytest.mark.parametrize("first", [5.0, 400.0, 5000.0])
def test_the_highest_rate_is_found_wherever_the_search_begins(first: float) -> None:
    limit_ms = 10.0
    found = capacity(p99_ms, first, limit_ms, replicates=5)
    assert found.rate and found.above
    assert found.rate.bound_ms <= limit_ms and found.rate.per_s < 1 / SERVICE_S
    assert np.mean([p99_ms(found.rate.per_s, seed) for seed in range(100, 120)]) <= limit_ms
    assert np.mean([p99_ms(found.rate.per_s * STEP**4, seed) for seed in range(100, 120)]) > limit_ms


def test_a_limit_that_nobody_keeps_is_told() -> None:
    found = capacity(p99_ms, 100.0, 1.0, replicates=2)
    assert found.rate is None and found.above


def test_a_bound_needs_two_blocks_and_grows_with_their_spread() -> None:
    assert upper_bound([1.0]) == upper_bound([1.0, math.inf]) == math.inf
    assert upper_bound([2.0, 2.0, 2.0]) == pytest.approx(2.0)
    assert 2.0 < upper_bound([1.9, 2.0, 2.1]) < upper_bound([1.0, 2.0, 4.0])


def test_a_hopeless_rate_is_given_up_after_two_blocks() -> None:
    tried: list[float] = []

    def block(rate: float, seed: int) -> float:
        tried.append(rate)
        return 5.0 if rate < 100 else 20.0

    found = capacity(block, 200.0, 10.0, replicates=5)
    assert found.rate and found.rate.per_s < 100 <= found.above.per_s and len(found.rate.p99_ms) == 5
    assert tried.count(found.above.per_s) <= 3 and found.above.bound_ms == math.inf


@pytest.mark.parametrize(("p50_ms", "limit_ms"), [(1.2, 10.0), (4.1, 20.0), (18.0, 50.0), (200.0, 500.0)])
def test_the_limit_leaves_room_for_the_baseline(p50_ms: float, limit_ms: float) -> None:
    assert limit_of(p50_ms) == limit_ms
