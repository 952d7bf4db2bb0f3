"""The warnings about a measurement, each with a remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import psutil

from breakeven.engine.cold_start import calls_until_steady
from breakeven.engine.comparison import ComparisonSet
from breakeven.engine.disturbance import unsteady
from breakeven.engine.samples import OK, Block, Replicate, Samples
from breakeven.engine.settings import Budget
from breakeven.engine.tails import p99

FEW_REPLICATES = "few replicates"  # the name of the warning that intervals are wider than wanted
BUSY = 10  # percent of the processors' time that other programs take
WIDE = 10  # half the width of an interval that says nothing, as a share of the speedup


@dataclass(frozen=True)
class QualityWarning:
    """A problem of a measurement, with a remedy."""

    name: str
    text: str
    remedy: str


def list_warnings(
    samples: Mapping[str, Samples], comparisons: ComparisonSet, budget: Budget, busy: float
) -> list[QualityWarning]:
    """Return the warnings that a reader of these findings needs.

    Args:
        busy: the share of the processors' time that other programs took, percent.
    """
    return list(_all(samples, comparisons, budget, busy))


def _all(
    samples: Mapping[str, Samples], comparisons: ComparisonSet, budget: Budget, busy: float
) -> Iterator[QualityWarning]:
    fine = {name: s.replicates for name, s in samples.items() if s.status == OK and s.replicates}
    replicates = [replicate for group in fine.values() for replicate in group]
    blocks = [block for replicate in replicates for block in replicate.blocks]
    if not blocks:
        return
    if comparisons.fault:
        yield QualityWarning("unreliable", comparisons.fault, "measure again, or on a quieter machine")
    if busy > BUSY:
        text = f"other programs took {busy:.0f}% of the processors' time"
        yield QualityWarning("busy", text, "end other programs, or wait for them")
    affinity = replicates[0].affinity
    if not affinity.get("pinned"):
        yield QualityWarning("unpinned", str(affinity.get("reason")), "choose a hardware with fewer threads")
    if (share := _steal(blocks)) > 0.02:
        text = f"the hypervisor gave {share:.0%} of the processors' time to other machines"
        yield QualityWarning("steal", text, "measure at another time, or on a machine of your own")
    if (drop := _throttling(replicates)) > 0.1:
        text = f"the processor's frequency fell by {drop:.0%} from the first round to the last"
        yield QualityWarning("throttling", text, "let it cool, fix its frequency, or choose fewer threads")
    if comparisons.half_width > budget.half_width:
        count = max(map(len, fine.values()))
        reached, target = f"±{comparisons.half_width:.1%}", f"±{budget.half_width:.1%}"
        of = " of the variants measured to the end" if any(s.stopped for s in samples.values()) else ""
        widest = f"the widest interval{of}, that of {comparisons.widest},"
        text = f"after {count} replicates {widest} is {reached}, not {target}"
        if comparisons.half_width > WIDE:
            text = f"{count} replicates cannot give an interval that says anything, let alone one of {target}"
        remedy = "raise measure.seconds_per_variant, or measure.min_replicates, by `breakeven compose`"
        if busy > BUSY:
            remedy = f"measure on a machine that is not busy; else {remedy}"
        yield QualityWarning(FEW_REPLICATES, text, remedy)
    yield from _of_single_variants(samples, fine, budget)


def _of_single_variants(
    samples: Mapping[str, Samples], fine: Mapping[str, list[Replicate]], budget: Budget
) -> Iterator[QualityWarning]:
    if shares := unsteady(fine):
        listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        text = f"blocks that were slow while the machine was not: {listed}"
        remedy = "expect them in production, too: choose by p99 and the mean of all calls, which hold them"
        yield QualityWarning("slow calls", text, remedy)
    if names := unbounded(samples, budget):
        text = f"too few blocks, or too unlike each other, for an upper bound of p99: {', '.join(names)}"
        yield QualityWarning("no bound of p99", text, "raise measure.seconds_per_variant")
    if short := [name for name, group in fine.items() if _block_ms(group) < budget.block_ms / 3]:
        text = f"blocks of less than a third of {budget.block_ms:g} ms: {', '.join(short)}"
        yield QualityWarning("short blocks", text, "its first calls were slow: raise measure.block_ms")
    if late := [n for n, group in fine.items() if all(calls_until_steady(r) is None for r in group)]:
        text = f"still getting faster after the warm-up: {', '.join(late)}"
        yield QualityWarning(
            "warm-up too short", text, "raise measure.rounds: the slow first rounds then weigh less"
        )


def unbounded(samples: Mapping[str, Samples], budget: Budget) -> list[str]:
    """Return the variants whose p99 has no upper bound, if the budget asks for bounds."""
    if not budget.min_blocks:
        return []
    return [
        name
        for name, own in samples.items()
        if own.status == OK
        and not own.stopped
        and len(own.replicates) > 1
        and p99(own.replicates, budget.confidence).high is None
    ]


def _block_ms(replicates: list[Replicate]) -> float:
    return float(np.median([block.wall_ms for r in replicates for block in r.blocks]))


def _steal(blocks: list[Block]) -> float:
    """Return the share of all cores' time that the hypervisor gave to other machines during the blocks."""
    cores = psutil.cpu_count() or 1
    return sum(block.steal_ms for block in blocks) / sum(block.wall_ms for block in blocks) / cores


def _throttling(replicates: list[Replicate]) -> float:
    """Return the drop in frequency from the first block to the last, as a share: the median of replicates."""
    readings = [[block.mhz for block in r.blocks if block.mhz] for r in replicates]
    drops = [1 - frequencies[-1] / frequencies[0] for frequencies in readings if len(frequencies) > 1]
    return float(np.median(drops)) if drops else 0.0
