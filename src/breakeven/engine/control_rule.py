"""The rule that judges callables although the twin differs from the baseline."""

from dataclasses import replace

from breakeven.engine import statistics
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.settings import TWIN


def judge_beyond_control(measured: ComparisonSet, base: str, margin: float) -> dict[str, Comparison]:
    """Return the comparisons with the verdicts that hold in spite of the twin.

    A twin that differs from the baseline does not invalidate the run. It hides small differences of the
    variants, since a verdict needs a difference beyond the farthest bound of the twin's interval.

    Args:
        base: the name of the baseline; its comparison and the twin's stay as they are.
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
    verdict, reason = statistics.verdict_beyond(comparison.speedup, margin, floor)
    if verdict == statistics.SAME and measured.fault and floor > 1 + margin:
        verdict, reason = statistics.UNDECIDED, measured.fault
    return replace(comparison, verdict=verdict, reason=reason)
