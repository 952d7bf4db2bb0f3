"""The choice of the variant to deploy: the fastest within the limits, and what cannot be told from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breakeven.core.format import times
from breakeven.engine import statistics
from breakeven.engine.best import compare_with_best
from breakeven.engine.comparison import speedups_over
from breakeven.engine.samples import UNTIMED
from breakeven.engine.statistics import Interval
from breakeven.results import paired_accuracy
from breakeven.results.limits import EPSILON, LIMIT_KINDS, Kind, Limits
from breakeven.results.result_row import ResultRow
from breakeven.results.score_text import change_text, change_unit

if TYPE_CHECKING:
    pass

TIE = 0.05  # a variant that is slower than the best by more, by the estimates, is not offered in its place
CONFIDENCE = 0.95  # that the fastest variant is among those that may be
UNMEASURED_VERDICTS = (*UNTIMED, "twin")
UNRELIABLE_REASON = "the run is unreliable (its warnings say why), so nothing that was measured here is sure"
UNTRAINED_REASON = "its weights are random, so nobody knows what it would cost in accuracy"


@dataclass(frozen=True)
class Choice:
    """The variant to deploy, and why."""

    best: ResultRow | None
    runner_up: ResultRow | None  # the second-fastest variant within the limits
    fastest: ResultRow | None  # the fastest variant without limits, if it is not the best
    reason: str  # in one sentence
    # If no variant keeps the limits: which raised limits would admit one, one limit at a time if possible
    relaxed: tuple[str, ...] = ()
    # Variants within the limits that may be as fast as the best one, and are at most `TIE` slower by estimate
    ties: tuple[str, ...] = ()
    # Variants within the limits that look slower than that, and were measured too roughly to exclude them
    unsettled: tuple[str, ...] = ()
    # Variant within the limits that is surely slower than the best -> by which share its calls take longer
    behind: Mapping[str, Interval] = field(default_factory=dict)
    # What the best gains over the fastest uncompressed fp32 variant; empty if it is that one
    over_fp32: str = ""


def gain(row: ResultRow) -> float:
    """Return the estimated speedup over the baseline; 1 if differences are within the margin."""
    return 1.0 if row.verdict in ("baseline", "same") else row.speedup or 0.0


def choose(rows: Sequence[ResultRow], limits: Limits, levels: Mapping[str, NDArray[np.float64]]) -> Choice:
    """Choose among the variants of one family on one hardware in one scenario.

    The choice is the fastest variant within the limits that is surely faster than the baseline, or else the
    baseline. A multiple comparison with the best tells which others may be as fast.

    Args:
        levels: variant -> the log time of a call in each replicate.
    """
    measured = [row for row in rows if row.verdict not in UNMEASURED_VERDICTS and row.latency_ms_p50]
    if not measured:
        return Choice(None, None, None, "nothing was measured here")
    if not all(row.trained for row in measured):
        return Choice(None, None, None, UNTRAINED_REASON)
    if any(row.unreliable for row in rows):
        return Choice(None, None, None, UNRELIABLE_REASON)
    if not all(len(levels.get(row.variant, ())) > 1 for row in measured):
        return Choice(None, None, None, "the records do not say how the variants compare with each other")
    ranked = sorted(measured, key=lambda row: -gain(row))
    able = [row for row in ranked if not limits.broken(row)]
    if not able:
        return Choice(None, None, ranked[0], "nothing keeps all limits", _relaxed(ranked, limits, levels))
    faster = [row for row in able if gain(row) > 1 and (row.verdict == "faster" or limits.by_estimate)]
    staying = [row for row in able if row.verdict == "baseline"]
    best = [*faster, *staying, *able][0]
    others = [row for row in able if row is not best]
    near = [row for row in others if gain(row) >= gain(best) / (1 + TIE)]
    rivals = compare_with_best({row.variant: levels[row.variant] for row in able}, CONFIDENCE)
    may_be = [row for row in others if rivals[row.variant].high > 1]
    if best.verdict == "baseline":  # a variant that was shown to be as fast changes nothing
        near, may_be = [], [row for row in may_be if row.verdict == statistics.UNDECIDED]
    fastest = ranked[0] if ranked[0] is not best else None
    return Choice(
        best,
        others[0] if others else None,
        fastest,
        _reason(best, others[0] if others else None, fastest, limits, rivals.get(best.variant)),
        ties=tuple(row.variant for row in may_be if row in near),
        unsettled=tuple(row.variant for row in may_be if row not in near),
        behind={row.variant: _longer(rivals[row.variant]) for row in others if row not in may_be},
        over_fp32=_over_fp32(best, measured, levels),
    )


def _longer(as_fast: Interval) -> Interval:
    """Return by which share calls take longer, of how many times as fast they are."""
    return Interval(1 / as_fast.value - 1, 1 / as_fast.high - 1, 1 / as_fast.low - 1)


def _over_fp32(best: ResultRow, rows: Sequence[ResultRow], levels: Mapping[str, NDArray[np.float64]]) -> str:
    """Return what the best gains over the fastest of the uncompressed fp32 variants; "" if it is that one.

    A large speedup over eager may say more about eager than about the variant.
    """
    plain = [row for row in rows if (row.compression, row.precision) == ("none", "fp32")]
    if not plain:
        return ""
    fastest = max(plain, key=gain)
    if fastest.variant == best.variant:
        return ""
    speedup = speedups_over(fastest.variant, levels, CONFIDENCE)[best.variant].interval
    return f"{_times(speedup)} as fast as {fastest.variant}, the fastest way to run the model as it is"


def _reason(
    best: ResultRow,
    runner_up: ResultRow | None,
    fastest: ResultRow | None,
    limits: Limits,
    ahead: Interval | None,
) -> str:
    """Return the reason for a choice in one sentence.

    Args:
        ahead: how many times as fast the best is as the fastest other variant within the limits.
    """
    if best.verdict == "baseline":
        sentence = f"nothing that keeps the limits is {'' if limits.by_estimate else 'surely '}faster"
    elif ahead is None:
        sentence = "nothing else keeps the limits"
    elif ahead.low > 1:
        sentence = f"it is surely the fastest that keeps the limits, {_times(ahead)} as fast as the next"
    else:
        sentence = "it is the fastest that keeps the limits, by the estimates"
    if runner_up:
        sentence += f"; next comes {runner_up.variant} with {gain(runner_up):.2f}x{_better(runner_up, best)}"
    if fastest and (broken := limits.broken(fastest)):
        sentence += f"; {fastest.variant} would give {gain(fastest):.2f}x, but {' and '.join(broken)}"
    return sentence


def _times(ratio: Interval) -> str:
    return times(ratio.value, ratio.low, ratio.high)


def _better(runner_up: ResultRow, best: ResultRow) -> str:
    """Return in words what the runner-up has over the best."""
    better = []
    if runner_up.artifact_mb and best.artifact_mb and runner_up.artifact_mb < 0.9 * best.artifact_mb:
        better.append(f"its files are {runner_up.artifact_mb / best.artifact_mb:.0%} as large")
    if runner_up.score is not None and best.score is not None:
        ahead = runner_up.score - best.score
        if ahead > 0 if best.metric_better == "higher" else ahead < 0:
            by = change_text(best, abs(ahead)).lstrip("+")
            better.append(f"its score is better by {by} {change_unit(best)}".rstrip())
    return f", though {' and '.join(better)}" if better else ""


def _relaxed(
    rows: Sequence[ResultRow], limits: Limits, levels: Mapping[str, NDArray[np.float64]]
) -> tuple[str, ...]:
    """Return for each limit the value that would admit a variant while the other limits stay.

    If raising one limit is never enough, return the values of several limits together.
    """
    hints = []
    for kind in LIMIT_KINDS:
        if getattr(limits, kind.limit) is None:
            continue
        other_limits = _with(limits, kind, None)
        able = [row for row in rows if not other_limits.broken(row)]
        nearest = min(able, key=lambda row: kind.cost(row, limits.by_estimate), default=None)
        if nearest and np.isfinite(cost := kind.cost(nearest, limits.by_estimate)):
            raised = choose(rows, _with(limits, kind, _up(cost)), levels).best
            hints.append(f"{_option(kind, cost)} would let in {(raised or nearest).variant}")
    return tuple(hints or _relaxed_together(rows, limits))


def _with(limits: Limits, kind: Kind, value: float | None) -> Limits:
    """Return the limits with one of them replaced."""
    return Limits(**{**asdict(limits), kind.limit: value})


def _relaxed_together(rows: Sequence[ResultRow], limits: Limits) -> Iterator[str]:
    """Yield the limits that would admit the variant that exceeds its limits by the smallest factor."""

    def most(row: ResultRow) -> float:
        return max(cost / max(bar, EPSILON) for _, bar, cost in limits.over(row))

    nearest = min(rows, key=most)
    if np.isfinite(most(nearest)):
        options = " ".join(_option(kind, cost) for kind, _, cost in limits.over(nearest))
        yield f"{options} would let in {nearest.variant}"


def _option(kind: Kind, value: float) -> str:
    return f"{kind.option} {_up(value):g}"


def _up(value: float) -> float:
    """Return the value rounded up to three digits, so that the variant keeps the limit that is printed."""
    digits = 2 - int(np.floor(np.log10(abs(value)))) if value > 0 else 0
    return float(np.ceil(value * 10.0**digits) / 10.0**digits)


def smallest_drop(images: int, confidence: float) -> float:
    """Return the smallest drop in accuracy that this many test images can rule out, in percentage points.

    This is the bound of the interval if both models give the same answers.
    """
    alike = np.ones(images, dtype=bool)
    return -100 * paired_accuracy.compare(alike, alike, confidence).low
