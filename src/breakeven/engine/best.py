"""Multiple comparisons with the best: which variant is surely the fastest, and which ones may be."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from breakeven.engine.moderation import contrasts_with
from breakeven.engine.simultaneous import critical_value
from breakeven.engine.statistics import Interval, from_bounds


def compare_with_best(levels: Mapping[str, NDArray[np.float64]], confidence: float) -> dict[str, Interval]:
    """Return how many times as fast each variant is as the fastest of the others, with its interval.

    A variant may be the fastest if the upper end of its interval is above 1. It surely is if the lower end is
    above 1. The intervals hold at once (Hsu, 1984, The Annals of Statistics 12): with probability
    `confidence`, the truly fastest variant is among those that may be.

    Args:
        levels: as of `contrasts_with`.
    """
    found: dict[str, Interval] = {}
    for name in levels if len(levels) > 1 else ():
        contrasts = contrasts_with(name, levels)  # above 0 if the rival is faster
        critical = critical_value(contrasts, list(contrasts.of), confidence, two_sided=False)
        rivals = contrasts.of.values()
        found[name] = from_bounds(
            min(-rival.value for rival in rivals),
            min(-rival.value - critical * rival.error for rival in rivals),
            min(-rival.value + critical * rival.error for rival in rivals),
        )
    return found
