"""Variances from few replicates: each contrast of a run borrows from the others.

Five replicates give a contrast a variance with four degrees of freedom, and so a wide interval. The other
contrasts of the run tell what variance to expect on this machine. Each variance is moved towards that
expectation, and gains the degrees of freedom that the expectation is worth (the moderated t of Smyth, 2004,
Statistical Applications in Genetics and Molecular Biology 3).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

LEAST_VARIANCE = 1e-16  # of a logarithm: times that do not differ at all have no logarithm of a variance


@dataclass(frozen=True)
class Contrast:
    """The estimated difference of two variants' log times."""

    value: float
    error: float  # standard error of `value`
    df: float  # degrees of freedom of `error`

    @property
    def p_value(self) -> float:
        """Return the p-value of the two-sided test of the hypothesis that the difference is 0."""
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.df))


@dataclass(frozen=True)
class Contrasts:
    """All contrasts of a run with one variant, the base."""

    of: dict[str, Contrast]
    shared: float  # the variance that the base contributes to each difference of a replicate
    count: int  # replicates, the fewest of any contrast

    def loadings(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return how strongly each contrast depends on the base: the correlation of two is the product."""
        variances = np.array([self.of[name].error ** 2 for name in names])
        shares = self.shared / self.count / np.maximum(variances, LEAST_VARIANCE)
        loadings: NDArray[np.float64] = np.sqrt(np.minimum(shares, 1.0))
        return loadings


def contrasts_with(base: str, levels: Mapping[str, NDArray[np.float64]]) -> Contrasts:
    """Return the contrast of each variant: the log time of `base` minus its own, above 0 if it is faster.

    Args:
        levels: name -> the log time of a call in each replicate, at least two. Item i of each array is of
            replicate i. Arrays may end early.
    """
    own = levels[base]
    return estimate(
        {name: own[: len(theirs)] - theirs[: len(own)] for name, theirs in levels.items() if name != base}
    )


def estimate(differences: Mapping[str, NDArray[np.float64]]) -> Contrasts:
    """Return the contrasts with moderated variances.

    Args:
        differences: name -> the difference of log times in each replicate, at least two. All of them are
            differences from the same base. Item i of each array is of replicate i; arrays may end early.
    """
    if not differences:
        return Contrasts({}, 0.0, 0)
    counts = np.array([len(values) for values in differences.values()])
    table = np.full((len(counts), counts.max()), np.nan)
    for row, values in zip(table, differences.values(), strict=True):
        row[: len(values)] = values
    own = np.maximum(np.nanvar(table, axis=1, ddof=1), LEAST_VARIANCE)
    shared = _shared_variance(table[:, : counts.min()])
    variances, df = _moderated(own, counts - 1.0, shared)
    figures = zip(np.nanmean(table, axis=1), np.sqrt(variances / counts), df, strict=True)
    contrasts = [Contrast(*map(float, each)) for each in figures]
    return Contrasts(dict(zip(differences, contrasts, strict=True)), shared, int(counts.min()))


def _shared_variance(differences: NDArray[np.float64]) -> float:
    """Return the mean covariance of two contrasts, which is the variance of their common base; at least 0.

    Args:
        differences: shape (contrasts, replicates).
    """
    if len(differences) < 2:
        return 0.0
    covariance = np.cov(differences)
    pairs = len(differences) * (len(differences) - 1)
    return max(float(covariance.sum() - np.trace(covariance)) / pairs, 0.0)


def _moderated(
    own: NDArray[np.float64], df: NDArray[np.float64], shared: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each variance moved towards what the others lead to expect, and its degrees of freedom.

    Contrasts with a common base have variances that rise and fall together, so many of them are worth less
    than their number. They give at most the degrees of freedom of as many unrelated ones as they are worth.

    Args:
        own: the variance of each contrast.
        df: the degrees of freedom of each.
        shared: the part of each variance that comes from the base.
    """
    if len(own) < 2:
        return own, df
    correlation = min(shared / float(own.mean()), 1.0) ** 2  # of two variances
    worth = len(own) / (1 + (len(own) - 1) * correlation)
    expected, prior_df = _prior(own, df)
    prior_df = np.minimum(prior_df, np.maximum(worth * df.mean() - df, 0.0))
    variances: NDArray[np.float64] = (prior_df * expected + df * own) / (prior_df + df)
    return variances, df + prior_df


def _prior(own: NDArray[np.float64], df: NDArray[np.float64]) -> tuple[float, float]:
    """Return the expected variance, and the degrees of freedom that it is worth; infinity if all agree.

    The logarithm of a variance has a known mean and variance if the true one is known. What the logarithms
    vary beyond that is the spread of the true variances (Smyth, section 6.2).
    """
    centred = np.log(own) - special.digamma(df / 2) + np.log(df / 2)
    spread = float(np.var(centred, ddof=1) - special.polygamma(1, df / 2).mean())
    if spread <= 0:
        return math.exp(centred.mean()), math.inf
    half = optimize.brentq(lambda log: special.polygamma(1, math.exp(log)) - spread, -20.0, 20.0)
    half = math.exp(half)
    return math.exp(centred.mean() + special.digamma(half) - math.log(half)), 2 * half
