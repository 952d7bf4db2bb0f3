"""The bounds of p99 hold under bursts, and there are none where the data cannot hold them."""

import numpy as np
import pytest
import simulation

from breakeven.config.sections import Measure
from breakeven.engine import tails
from breakeven.engine.samples import Block, Replicate
from breakeven.engine.settings import Budget
from breakeven.engine.tails import p99

CALLS, ROUNDS = 20, 50
BURST = 3.0  # the factor of a block that is hit


def run(draw: np.random.Generator, bursts: float, replicates: int = 10) -> list[Replicate]:
    """Replicates of calls that differ by 3%, in processes that differ by 1%; some blocks are hit."""
    found = []
    for number in range(replicates):
        times = np.exp(draw.normal(0, 0.01) + 0.03 * draw.standard_normal((ROUNDS, CALLS)))
        times *= np.where(draw.random((ROUNDS, 1)) < bursts, BURST, 1.0)
        blocks = [Block(at, own.tolist(), float(own.sum()), 0, 0, 0) for at, own in enumerate(times)]
        found.append(simulation.replicate(number, blocks))
    return found


@pytest.mark.parametrize("bursts", [0.0, 0.03])
def test_the_bounds_hold_the_truth(bursts: float) -> None:
    draw = np.random.default_rng(1)
    truth = p99(run(draw, bursts, replicates=2000), 0.95).value
    runs = [p99(run(draw, bursts), 0.95) for _ in range(100)]
    bounded = [tail for tail in runs if tail.low is not None and tail.high is not None]
    assert len(bounded) > 50
    assert np.mean([tail.low <= truth <= tail.high for tail in bounded]) > 0.9


def test_without_bursts_the_bounds_are_narrow() -> None:
    tail = p99(run(np.random.default_rng(2), 0.0), 0.95)
    assert tail.low and tail.high and tail.low < tail.value < tail.high < 1.1 * tail.low


def test_few_blocks_hold_no_bound_however_many_calls_they_have() -> None:
    few = run(np.random.default_rng(3), 0.0, replicates=5)  # 250 blocks of 20 calls
    assert p99(few, 0.95).high is None
    assert p99(few, 0.95).value > 1


def test_few_replicates_need_more_blocks() -> None:
    draw = np.random.default_rng(4)
    each_120 = [
        simulation.replicate(
            number,
            [simulation.block(at, ms, calls=1) for at, ms in enumerate(draw.normal(1.0, 0.01, 120).tolist())],
        )
        for number in range(20)
    ]
    assert p99(each_120[:5], 0.95).high is None  # 600 blocks, but 5 replicates
    assert p99(each_120, 0.95).high is not None
    assert p99(each_120[:8], 0.9999).high is None  # a higher confidence asks for more


def test_calls_that_are_all_alike_have_a_percentile() -> None:
    alike = [simulation.replicate(number, [1.0] * 30) for number in range(5)]
    assert p99(alike, 0.95) == tails.Tail(1.0, None, None)


def test_a_study_with_a_limit_on_p99_asks_for_the_blocks_of_its_bound() -> None:
    settings = Measure.model_construct(confidence=0.95, latency_limit_ms=5.0, rounds=5)
    assert settings.budget(0).min_blocks == tails.blocks_for_p99(0.95) > 400
    unlimited = settings.model_copy(update={"latency_limit_ms": None})
    assert unlimited.budget(0).min_blocks == Budget().min_blocks == 0
