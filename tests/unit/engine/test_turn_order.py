"""Every variant is timed once a round, and follows each other variant equally often."""

import random
from collections import Counter
from itertools import islice, pairwise

import pytest

from breakeven.engine.turn_order import balanced_orders


@pytest.mark.parametrize("count", range(1, 15))
def test_each_variant_follows_each_other_one_equally_often(count: int) -> None:
    names = [f"v{index}" for index in range(count)]
    rounds = [*islice(balanced_orders(names, random.Random(0)), 2 * count)]
    assert all(sorted(order) == sorted(names) for order in rounds)
    neighbours = Counter(pair for order in rounds for pair in pairwise(order))
    assert set(neighbours.values()) <= {2}
    assert len(neighbours) == count * (count - 1)


def test_orders_are_drawn_anew_and_repeat_with_the_seed() -> None:
    names = list("abcdef")
    one, again, other = ([*islice(balanced_orders(names, random.Random(seed)), 30)] for seed in (1, 1, 2))
    assert one == again != other
    assert one[:6] != one[6:12]
