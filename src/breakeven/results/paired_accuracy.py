"""The comparison of two classifiers on the same images: an exact test and a score interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats


@dataclass(frozen=True)
class Difference:
    """The accuracy of a variant minus the baseline's, as fractions, with its interval."""

    delta: float
    low: float
    high: float
    p_value: float


def compare(baseline: NDArray[np.bool_], variant: NDArray[np.bool_], confidence: float) -> Difference:
    """Compare which images each of two classifiers got right, (N,) each.

    The p-value is that of McNemar's exact test. The interval is Tango's score interval for paired proportions
    (Statistics in Medicine 17, 1998). It has a width even if the two classifiers never disagree.
    """
    lost = int((baseline & ~variant).sum())
    won = int((~baseline & variant).sum())
    count = len(baseline)
    p = 1.0 if lost + won == 0 else float(stats.binomtest(lost, lost + won).pvalue)
    z = float(stats.norm.ppf((1 + confidence) / 2))
    delta = (won - lost) / count

    def score(difference: float) -> float:
        b = (2 * count - won + lost) * difference - won - lost
        c = -lost * difference * (1 - difference)
        nuisance = (math.sqrt(max(b * b - 8 * count * c, 0.0)) - b) / (4 * count)
        variance = count * (2 * nuisance + difference * (1 - difference))
        return (won - lost - count * difference) / math.sqrt(max(variance, 1e-300))

    edge = 1 - 1e-9
    low = optimize.brentq(lambda d: score(d) - z, -edge, delta) if delta > -edge else -1.0
    high = optimize.brentq(lambda d: score(d) + z, delta, edge) if delta < edge else 1.0
    return Difference(delta, float(low), float(high), p)
