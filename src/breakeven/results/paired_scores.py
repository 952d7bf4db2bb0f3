"""The comparison of two models by their scores on the same samples."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from breakeven.results import paired_accuracy
from breakeven.results.paired_accuracy import Difference

UNBOUNDED = 1e9  # the bounds of what one sample tells, since JSON has no infinity


def compare(baseline: NDArray[np.float64], variant: NDArray[np.float64], confidence: float) -> Difference:
    """Return the mean score of `variant` minus that of `baseline`, with its interval; scores are (N,) each.

    Scores of 0 and 1 are counts: McNemar's exact test, and Tango's interval. Other scores get the test and
    the interval of a paired t. If all scores are equal, the interval has no width.
    """
    if np.isin(baseline, (0.0, 1.0)).all() and np.isin(variant, (0.0, 1.0)).all():
        return paired_accuracy.compare(baseline.astype(bool), variant.astype(bool), confidence)
    changes = variant - baseline
    delta, count = float(changes.mean()), len(changes)
    if count < 2:
        return Difference(delta, -UNBOUNDED, UNBOUNDED, 1.0)
    error = float(changes.std(ddof=1)) / count**0.5
    if not error:
        return Difference(delta, delta, delta, 1.0 if not delta else 0.0)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    p_value = float(2 * stats.t.sf(abs(delta) / error, count - 1))
    return Difference(delta, delta - half, delta + half, p_value)
