"""The part of a row that says after how many calls a variant has paid back what it costs once."""

from breakeven.artifacts.artifact import BASELINE, Artifact
from breakeven.engine import cold_start
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.statistics import UNDECIDED, Interval
from breakeven.results.result_row import BreakevenPart


def breakeven_part(
    card: Artifact, base: Artifact, comparison: Comparison, comparisons: ComparisonSet, confidence: float
) -> BreakevenPart:
    """Return the break-even calls of a variant.

    Args:
        base: the baseline's artifact.
        confidence: the level of the bounds.
    """
    build_ms, train_ms = _beyond(card, base), 1000 * card.train_s
    calls, low, high = _calls(_shifted(build_ms, train_ms), comparison, comparisons, confidence)
    untrained = _calls(build_ms, comparison, comparisons, confidence)[0] if train_ms else None
    return BreakevenPart(
        breakeven_calls=calls,
        breakeven_calls_low=low,
        breakeven_calls_high=high,
        breakeven_calls_without_training=untrained,
    )


def _calls(
    once_ms: Interval, comparison: Comparison, comparisons: ComparisonSet, confidence: float
) -> tuple[str, str, str]:
    if comparisons.fault or not comparison.speedup:
        return (UNDECIDED,) * 3
    base = comparisons.of[BASELINE].replicates
    return cold_start.breakeven_calls(once_ms, base, comparison.replicates, comparison.speedup, confidence)


def _shifted(interval: Interval, by: float) -> Interval:
    return Interval(interval.value + by, interval.low + by, interval.high + by)


def _beyond(card: Artifact, base: Artifact) -> Interval:
    """Return the build time of an artifact beyond the baseline's, in milliseconds, with its range."""
    return Interval(
        1000 * (card.build_s - base.build_s),
        1000 * (card.build_s_low - base.build_s_high),
        1000 * (card.build_s_high - base.build_s_low),
    )
