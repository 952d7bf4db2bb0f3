"""The critical value of several comparisons with one base, for intervals that hold all at once."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, special, stats

from breakeven.engine.moderation import Contrasts

MOST_LOADING = 0.95**0.5  # a steeper integrand needs a finer grid; a smaller loading gives a larger value
BASE_GRID = np.linspace(-6, 6, 65)  # of the base's own error, in standard deviations
BASE_WEIGHTS = stats.norm.pdf(BASE_GRID) / stats.norm.pdf(BASE_GRID).sum()
MANY = 40  # comparisons: more than that get Bonferroni's value, which is hardly larger
# The quantiles at which an estimated standard deviation is taken. They are dense where it is small, because
# large t's come from there.
CHANCES = ((np.arange(48) + 0.5) / 48) ** 3
CHANCE_WEIGHTS = CHANCES ** (2 / 3) / np.sum(CHANCES ** (2 / 3))


def critical_value(
    contrasts: Contrasts, names: Sequence[str], confidence: float, two_sided: bool = True
) -> float:
    """Return the number that the largest t of the named contrasts exceeds with probability 1 - `confidence`.

    The t's are correlated because they share the base (Dunnett, 1955), and each has a standard error of its
    own. The probability is an integral over the base's error; for a given error the t's are independent.

    Args:
        two_sided: whether t counts with its size, or with its sign.
    """
    df = np.array([contrasts.of[name].df for name in names])
    tails = (2 if two_sided else 1) * len(names)
    most = float(stats.t.ppf(1 - (1 - confidence) / tails, df.min()))  # Bonferroni's
    if len(names) == 1 or len(names) > MANY:
        return most
    loadings = np.minimum(contrasts.loadings(names), MOST_LOADING)
    scales = np.sqrt(stats.chi2.ppf(CHANCES[:, None], df) / df)
    shifts = BASE_GRID[:, None, None] * loadings
    own = np.sqrt(1 - loadings**2)

    def excess(value: float) -> float:
        held = special.ndtr((value * scales - shifts) / own)
        if two_sided:
            held = held - special.ndtr((-value * scales - shifts) / own)
        return float(BASE_WEIGHTS @ np.tensordot(held, CHANCE_WEIGHTS, (1, 0)).prod(axis=1)) - confidence

    if excess(most) <= 0:  # by the integral's own error
        return most
    return float(optimize.brentq(excess, 0.0, most, xtol=1e-4))
