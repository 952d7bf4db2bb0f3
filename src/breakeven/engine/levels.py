"""The level of each variant in each replicate: the log time of its undisturbed calls."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.engine.samples import Replicate

STEPS = 100  # of the fit, at most
ENOUGH = 1e-7  # a smaller change of all levels ends it
DEVIATIONS = 1.4826  # standard deviations in a median absolute deviation, for normal errors
CUT = 4.685  # standard deviations beyond which a block does not count: 95% efficient for normal errors
LEAST_WEIGHT, LEAST_SCALE = 1e-9, 1e-9  # so that every level and speed has a weight


@dataclass(frozen=True)
class Fit:
    """One replicate taken apart: the log time of a block is a level, a speed and a residual."""

    levels: dict[str, float]  # of each variant, log ms
    residuals: dict[str, NDArray[np.float64]]  # of each variant's blocks


def log_levels(variants: Mapping[str, Sequence[Replicate]]) -> dict[str, NDArray[np.float64]]:
    """Return for each variant one number for each of its replicates, log milliseconds for one call.

    All variants of one call must be of one run: item i of their replicates ran side by side. The first
    variant took part in every round.
    """
    levels: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(max(map(len, variants.values()), default=0)):
        for name, level in fit(variants, number).levels.items():
            levels[name].append(level)
    return {name: np.array(own) for name, own in levels.items()}


def fit(variants: Mapping[str, Sequence[Replicate]], number: int) -> Fit:
    """Return the levels of all variants in one replicate, by a robust two-way fit.

    The log time of a block is the level of its variant, plus the speed of the machine in its round, plus a
    residual. Levels and speeds are weighted means with Tukey's biweight (Beaton and Tukey, 1974,
    Technometrics 16). A burst of other programs' work hits some blocks of a round. These blocks are far from
    the others, and get no weight.

    Args:
        number: which replicate; a variant that has fewer is left out.
    """
    side_by_side = {name: own[number] for name, own in variants.items() if number < len(own)}
    names = list(side_by_side)
    blocks = [
        (column, block.round, math.log(block.mean_ms))
        for column, name in enumerate(names)
        for block in side_by_side[name].blocks
    ]
    columns, rounds, times = (np.array(values) for values in zip(*blocks, strict=True))
    of_column = [np.flatnonzero(columns == column) for column in range(len(names))]
    rounds = np.unique(rounds, return_inverse=True)[1]
    # The start: the speed that the first variant shows. What slows a whole round then changes no level.
    speed = _means(rounds, np.where(columns == 0, 1.0, LEAST_WEIGHT), times)
    level = np.array([np.median((times - speed[rounds])[own]) for own in of_column])
    for _ in range(STEPS):
        weights = _biweights(times - speed[rounds] - level[columns])
        speed = _means(rounds, weights, times - level[columns])
        before, level = level, _means(columns, weights, times - speed[rounds])
        if np.abs(level - before).max() < ENOUGH:
            break
    rest = times - speed[rounds] - level[columns]
    return Fit(
        dict(zip(names, level.tolist(), strict=True)),
        {name: rest[own] for name, own in zip(names, of_column, strict=True)},
    )


def _means(
    groups: NDArray[np.intp], weights: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted mean of each group, from group 0 on."""
    means: NDArray[np.float64] = np.bincount(groups, weights * values) / np.bincount(groups, weights)
    return means


def _biweights(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = max(DEVIATIONS * float(np.median(np.abs(residuals))), LEAST_SCALE)
    weights: NDArray[np.float64] = np.clip(1 - (residuals / (CUT * scale)) ** 2, 0, None) ** 2
    return np.maximum(weights, LEAST_WEIGHT)
