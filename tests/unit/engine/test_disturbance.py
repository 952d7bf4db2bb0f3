"""What slowed calls is told apart: a burst on the machine, or the variant itself."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import simulation

from breakeven.engine.disturbance import mean_levels, mean_ms, slow_share, unsteady
from breakeven.engine.samples import Replicate

ROUNDS, REPLICATES = 12, 5
NAMES = ("base", "twin", "a", "b")


def run(
    draw: np.random.Generator, bursts: float = 0.0, seen: float = 1.0, own: float = 0.0
) -> dict[str, list[Replicate]]:
    """A run of four variants.

    Args:
        bursts: the share of blocks that other work hits.
        seen: the share of these in which the sentinel is slow as well.
        own: the share of blocks in which the variant `a` is slow by itself.
    """
    variants = {}
    for name in NAMES:
        replicates = []
        for number in range(REPLICATES):
            hit = draw.random(ROUNDS) < bursts
            slow = hit | (draw.random(ROUNDS) < (own if name == "a" else 0.0))
            told = hit & (draw.random(ROUNDS) < seen)
            times = np.exp(0.01 * draw.standard_normal(ROUNDS)) * np.where(slow, 2.0, 1.0)
            blocks = [
                replace(simulation.block(at, ms), sentinel_ms=[1.0, 1.8 if at_work else 1.01])
                for at, (ms, at_work) in enumerate(zip(times.tolist(), told.tolist(), strict=True))
            ]
            replicates.append(simulation.replicate(number, blocks))
        variants[name] = replicates
    return variants


@pytest.mark.parametrize("seen", [1.0, 0.5])
def test_bursts_of_the_machine_make_no_variant_unsteady(seen: float) -> None:
    draw = np.random.default_rng(0)
    assert sum(bool(unsteady(run(draw, bursts=0.15, seen=seen))) for _ in range(100)) <= 3


def test_a_variant_that_is_slow_by_itself_is_found_amid_bursts() -> None:
    draw = np.random.default_rng(1)
    found = [unsteady(run(draw, bursts=0.1, seen=0.8, own=0.3)) for _ in range(50)]
    assert sum(set(each) == {"a"} for each in found) >= 45
    assert np.median([each["a"] for each in found if "a" in each]) == pytest.approx(0.3, abs=0.1)


def test_blocks_without_a_sentinel_say_nothing() -> None:
    slow = run(np.random.default_rng(2), own=0.5)
    bare = {
        name: [
            replace(each, blocks=[replace(block, sentinel_ms=[]) for block in each.blocks]) for each in own
        ]
        for name, own in slow.items()
    }
    assert unsteady(bare) == {} and unsteady({}) == {}


def calls(number: int, times: Sequence[float]) -> Replicate:
    block = replace(simulation.block(0, 1.0), calls_ms=list(times), wall_ms=float(sum(times)))
    return simulation.replicate(number, [block])


def test_the_mean_holds_the_slow_calls_and_their_share_is_told() -> None:
    replicates = [calls(0, [1.0] * 9 + [11.0]), calls(1, [2.0] * 9 + [22.0])]
    assert slow_share(replicates) == pytest.approx(0.1)
    np.testing.assert_allclose(mean_levels({"a": replicates})["a"], np.log([2.0, 4.0]))
    assert mean_ms(replicates) == pytest.approx(8**0.5)


def test_calls_in_an_inner_loop_have_the_loop_s_mean() -> None:
    replicates = [simulation.replicate(0, [replace(simulation.block(0, 1.0), wall_ms=20.0, inner=10)])]
    assert mean_ms(replicates) == pytest.approx(1.0)
    np.testing.assert_allclose(mean_levels({"a": replicates})["a"], 0.0)


def test_callers_that_overlap_have_the_mean_of_a_call_and_the_speedup_of_the_throughput() -> None:
    block = replace(simulation.block(0, 4.0, calls=8), wall_ms=8.0)  # four callers, two calls each
    replicates = [simulation.replicate(0, [block])]
    assert mean_ms(replicates) == pytest.approx(4.0)
    np.testing.assert_allclose(np.exp(mean_levels({"a": replicates})["a"]), 1.0)


def test_a_sentinel_that_is_always_slower_afterwards_explains_no_block() -> None:
    slow = run(np.random.default_rng(4), own=0.3)
    skewed = {
        name: [
            replace(
                each,
                blocks=[
                    replace(b, sentinel_ms=[b.sentinel_ms[0], 2 * b.sentinel_ms[1]]) for b in each.blocks
                ],
            )
            for each in own
        ]
        for name, own in slow.items()
    }
    assert set(unsteady(skewed)) == {"a"}
