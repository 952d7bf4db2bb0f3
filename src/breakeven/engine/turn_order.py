"""The order of the variants within each round, balanced for what ran before."""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

Name = TypeVar("Name")


def balanced_orders(names: Sequence[Name], draw: random.Random) -> Iterator[list[Name]]:
    """Yield orders without end, in which each name follows each other name equally often.

    A variant leaves its traces in the caches that it shares with the next one. In random orders some variants
    follow the same neighbour more often than others do. The orders are the rows of a Williams design
    (Williams, 1949): with an even number of names, each name directly follows each other name once in as many
    orders as there are names. With an odd number it does so twice in twice as many orders. Each design has
    new random labels and a random order of its rows.
    """
    while True:
        labels = list(names)
        draw.shuffle(labels)
        rows = _williams(len(labels))
        draw.shuffle(rows)
        for row in rows:
            yield [labels[index] for index in row]


def _williams(count: int) -> list[list[int]]:
    """Return the rows of a Williams design for this number of treatments."""
    first = [0] * count
    low, high = 0, count
    for position in range(1, count):  # 0, 1, count - 1, 2, count - 2, ...
        if position % 2:
            low += 1
            first[position] = low
        else:
            high -= 1
            first[position] = high
    rows = [[(treatment + shift) % count for treatment in first] for shift in range(count)]
    return rows if count % 2 == 0 else rows + [row[::-1] for row in rows]
