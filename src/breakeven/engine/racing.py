"""Which variants need no more replicates: another one is surely faster, and costs no more otherwise."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from breakeven.engine.moderation import contrasts_with
from breakeven.engine.simultaneous import critical_value

CONFIDENCE = 0.99  # of each look; there is one after each replicate
LEAST_LEAD = 0.05  # a smaller lead is not worth the loss of a narrow interval


def dominated(
    levels: Mapping[str, NDArray[np.float64]], costs: Mapping[str, Sequence[float]]
) -> dict[str, str]:
    """Return the variants that are dominated, each with the variant that dominates it most clearly.

    A variant is dominated if another one is surely at least `LEAST_LEAD` faster and is no worse in any cost.

    Args:
        levels: name -> the log time of a call in each replicate, at least two.
        costs: name -> what it costs besides time, for example its size; lower is better.
    """
    found = {}
    for name in levels:
        no_worse = {
            rival: theirs
            for rival, theirs in levels.items()
            if all(a <= b for a, b in zip(costs[rival], costs[name], strict=True))
        }
        if len(no_worse) < 2:  # itself only
            continue
        contrasts = contrasts_with(name, no_worse)
        critical = critical_value(contrasts, list(contrasts.of), CONFIDENCE, two_sided=False)
        leads = {rival: each.value - critical * each.error for rival, each in contrasts.of.items()}
        clearest = max(leads, key=lambda rival: leads[rival])
        if leads[clearest] > math.log1p(LEAST_LEAD):
            found[name] = clearest
    return found
