"""Multiple comparisons with the best: which variant is surely the fastest, and which ones may be."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from breakeven.engine.moderation import estimate
from breakeven.engine.simultaneous import critical_value
from breakeven.engine.statistics import Interval, from_bounds


def compare_with_best(levels: Mapping[str, NDArray[np.float64]], confidence: float) -> dict[str, Interval]:
    """Return how many times as fast each variant is as the fastest of the others, with its interval.

    A variant may be the fastest if the upper end of its interval is above 1. It surely is if the lower end is
    above 1. The intervals hold at once (Hsu, 1984, The Annals of Statistics 12): with probability
    `confidence`, the truly fastest variant is among those that may be.

    Args:
        levels: name -> the log time of a call in each replicate. Item i of each array is of replicate i.
            Arrays may end early.
    """
    found: dict[str, Interval] = {}
    for name, own in levels.items():
        differences = {}
        for rival, rival_levels in levels.items():
            count = min(len(own), len(rival_levels))
            if rival != name and count > 1:
                differences[rival] = rival_levels[:count] - own[:count]
        contrasts = estimate(differences)
        if not differences:
            continue
        critical = critical_value(contrasts, list(differences), confidence, two_sided=False)
        compared = list(contrasts.of.values())
        found[name] = from_bounds(
            min(each.value for each in compared),
            min(each.value - critical * each.error for each in compared),
            min(each.value + critical * each.error for each in compared),
        )
    return found
