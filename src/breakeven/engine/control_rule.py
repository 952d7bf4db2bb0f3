"""The rule that judges callables by the size of the A/A control's difference."""

import math
from dataclasses import replace

from breakeven.engine import statistics
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.settings import TWIN


def judge_beyond_control(measured: ComparisonSet, base: str, margin: float) -> dict[str, Comparison]:
    """Return the comparisons, and call a variant faster or slower only beyond the A/A control's difference.

    A variant is faster or slower if its interval excludes 1, and if its speedup is farther from 1 than the
    farthest bound of the control's interval. Two copies of one program can differ by up to this bound. The
    causes last as long as a process, for example its memory layout and its hash seed. A control that
    differs from the baseline does not invalidate the run. It hides small differences of the variants.

    Args:
        base: the name of the baseline; its comparison and the control's stay as they are.
        margin: speedups between 1 / (1 + margin) and 1 + margin count as the same.
    """
    return {
        name: comparison if name in (base, TWIN) else _beyond_control(comparison, measured, margin)
        for name, comparison in measured.of.items()
    }


def _beyond_control(comparison: Comparison, measured: ComparisonSet, margin: float) -> Comparison:
    if comparison.speedup is None:
        return comparison
    floor = measured.noise_floor
    if floor is None:
        return replace(comparison, verdict=statistics.UNDECIDED, reason=measured.fault)
    verdict, reason = statistics.verdict(comparison.speedup, margin), ""
    different = verdict in (statistics.FASTER, statistics.SLOWER)
    if different and abs(math.log(comparison.speedup.value)) <= math.log(floor):
        verdict = statistics.UNDECIDED
        reason = f"two copies of the baseline may differ as much (up to {floor - 1:.1%})"
    elif verdict == statistics.SAME and measured.fault and floor > 1 + margin:
        verdict, reason = statistics.UNDECIDED, measured.fault
    return replace(comparison, verdict=verdict, reason=reason)
