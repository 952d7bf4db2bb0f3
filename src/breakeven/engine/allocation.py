"""How many rounds a replicate should have: as many as give the narrowest intervals for the time."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from breakeven.engine.levels import DEVIATIONS, fit
from breakeven.engine.samples import Replicate

LEAST_PROCESS_SD = 0.003  # of a process's log time: what was seen on quiet machines, docs/measuring.md
FIRST_PROCESS_SD = 0.005  # the same, before two replicates have shown it


def best_rounds(variants: Mapping[str, Sequence[Replicate]], start_s: float, round_s: float) -> float:
    """Return the number of rounds that a replicate should have.

    A replicate costs its start and its rounds. Its variance is that of its processes, which more rounds do
    not lower, plus that of its blocks, divided by the number of rounds. The best number for a given time is
    the root of (start / round) * (blocks / processes) (Kalibera and Jones, 2013).

    Args:
        variants: the replicates so far; the first variant took part in every round.
        start_s: the time before the first round of a replicate.
        round_s: the time of one round.
    """
    fits = [fit(variants, number) for number in range(min(map(len, variants.values())))]
    spreads = [
        DEVIATIONS * float(np.median(np.abs(residuals)))
        for each in fits
        for residuals in each.residuals.values()
    ]
    of_blocks = float(np.median(np.square(spreads)))
    of_processes = FIRST_PROCESS_SD**2
    if len(fits) > 1:
        levels = np.array([[each.levels[name] for name in variants] for each in fits])
        rest = levels - levels.mean(0) - levels.mean(1, keepdims=True) + levels.mean()
        freedom = (1 - 1 / len(fits)) * (1 - 1 / len(variants))
        share = float(np.mean([1 / min(map(_rounds, own)) for own in zip(*variants.values(), strict=False)]))
        seen = float(np.median(np.square(rest).mean(0))) / freedom
        of_processes = max(seen - of_blocks * share, LEAST_PROCESS_SD**2)
    return math.sqrt(start_s / round_s * of_blocks / of_processes)


def _rounds(replicate: Replicate) -> int:
    return len({block.round for block in replicate.blocks})
