"""What slowed calls: bursts of other work on the machine, or the variant itself."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from breakeven.engine.samples import Replicate

SLOW = 1.25  # times the usual time: a slow call, a slow block, or a slow machine
UNSTEADY_SHARE = 0.05  # of a variant's blocks, at least
TIMES_THE_OTHERS = 2  # the share of the other variants' blocks, at least
SIGNIFICANCE = 0.01  # that a run calls a steady variant unsteady


def slow_share(replicates: Sequence[Replicate]) -> float:
    """Return the share of calls that took a quarter longer than the middle call of their replicate."""
    slow = [(own := each.calls_ms) > SLOW * np.median(own) for each in replicates]
    return float(np.concatenate(slow).mean())


def mean_levels(variants: Mapping[str, Sequence[Replicate]]) -> dict[str, NDArray[np.float64]]:
    """Return the log of each replicate's wall time for a call, milliseconds; no call is left out.

    Calls of several callers overlap, so that this is the inverse of the throughput.
    """
    return {
        name: np.log([_wall_ms(replicate) for replicate in replicates])
        for name, replicates in variants.items()
    }


def mean_ms(replicates: Sequence[Replicate]) -> float:
    """Return the mean time of a call as its caller sees it, milliseconds: geometric mean over replicates."""
    return float(np.exp(np.mean([np.log(replicate.calls_ms.mean()) for replicate in replicates])))


def _wall_ms(replicate: Replicate) -> float:
    blocks = replicate.blocks
    return sum(block.wall_ms for block in blocks) / sum(block.inner * len(block.calls_ms) for block in blocks)


def unsteady(variants: Mapping[str, Sequence[Replicate]]) -> dict[str, float]:
    """Return the variants that are slow by themselves, each with the share of its blocks that were slow.

    The machine does not explain a slow block if the sentinel was as fast as usual both before and after it.
    Some bursts fit between the two, and hit other variants as well. So a variant is unsteady only if its
    share of unexplained slow blocks is at least twice that of all others together, and surely higher
    (Fisher's exact test).
    """
    unexplained = {name: _unexplained(replicates) for name, replicates in variants.items()}
    slow = {name: int(own.sum()) for name, own in unexplained.items()}
    blocks = {name: len(own) for name, own in unexplained.items()}
    found = {}
    for name in variants:
        others, their_blocks = sum(slow.values()) - slow[name], sum(blocks.values()) - blocks[name]
        if not blocks[name] or not their_blocks:
            continue
        if slow[name] / blocks[name] < max(UNSTEADY_SHARE, TIMES_THE_OTHERS * others / their_blocks):
            continue
        table = [[slow[name], blocks[name] - slow[name]], [others, their_blocks - others]]
        if stats.fisher_exact(table, alternative="greater").pvalue < SIGNIFICANCE / len(variants):
            found[name] = slow[name] / blocks[name]
    return found


def _unexplained(replicates: Sequence[Replicate]) -> NDArray[np.bool_]:
    """Return for each block with a sentinel whether it was slow while the sentinel was not."""
    flags = [np.zeros(0, bool)]
    for replicate in replicates:
        blocks = [block for block in replicate.blocks if block.sentinel_ms]
        if not blocks:
            continue
        times = np.array([block.mean_ms for block in blocks])
        sentinel = np.array([block.sentinel_ms for block in blocks])
        fast = (sentinel <= SLOW * np.median(sentinel, axis=0)).all(1)
        flags.append((times > SLOW * np.median(times)) & fast)
    return np.concatenate(flags)
