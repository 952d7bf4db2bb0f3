"""The choice of the variant to deploy: the largest certain speedup within the user's limits.

A variant keeps a limit if the unfavourable end of its interval does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from breakeven.engine.samples import UNTIMED
from breakeven.results import paired_accuracy
from breakeven.results.result_row import ResultRow

if TYPE_CHECKING:
    from breakeven.config.schema import Study

EPSILON = 1e-9
UNMEASURED_VERDICTS = (*UNTIMED, "control")
UNRELIABLE_REASON = "the run is unreliable (its warnings say why), so nothing that was measured here is sure"
UNTRAINED_REASON = "its weights are random, so nobody knows what it would cost in accuracy"


@dataclass(frozen=True)
class Limits:
    """The limits on what a variant may cost; None means no limit."""

    max_accuracy_drop: float | None = None  # percentage points below the baseline
    max_latency_ms: float | None = None  # p50
    max_size_mb: float | None = None  # of the artifact, 10**6 bytes
    by_estimate: bool = False  # compare estimates with the limits, not the ends of intervals

    @classmethod
    def of(cls, study: "Study") -> "Limits":
        """Return the limits of a study."""
        return cls(**study.recommend.model_dump())

    @property
    def words(self) -> str:
        """Return the limits as options of the command line, or "none"."""
        values = [(kind, getattr(self, kind.limit)) for kind in LIMIT_KINDS]
        options = [f"{kind.option} {limit:g}" for kind, limit in values if limit is not None]
        return " ".join([*options, *(["--by-estimate"] if self.by_estimate else [])]) or "none"

    def broken(self, row: ResultRow) -> list[str]:
        """Return in words which limits a row exceeds."""
        may = "is" if self.by_estimate else "may be"
        return [
            f"{kind.what} {may} {cost:.3g}{kind.unit} ({limit:g} allowed)"
            for kind, limit, cost in self.over(row)
        ]

    def over(self, row: ResultRow) -> list[tuple["Kind", float, float]]:
        """Return each limit that a row exceeds: its kind, its value, and what the row costs."""
        costs = [(kind, getattr(self, kind.limit), kind.cost(row, self.by_estimate)) for kind in LIMIT_KINDS]
        return [(kind, bar, cost) for kind, bar, cost in costs if bar is not None and cost > bar + EPSILON]


@dataclass(frozen=True)
class Kind:
    """A kind of limit: its name and how a row's cost is read."""

    limit: str  # its name in `Limits`, in a study and, with dashes, on the command line
    what: str
    unit: str
    cost: Callable[[ResultRow, bool], float]  # of a row, by its estimate or at the end of its interval

    @property
    def option(self) -> str:
        """Return the option's name on the command line."""
        return f"--{self.limit.replace('_', '-')}"


def _drop(row: ResultRow, by_estimate: bool) -> float:
    if row.verdict == "baseline":
        return 0.0
    delta = row.accuracy_delta if by_estimate else row.accuracy_delta_ci_low
    return -100 * delta if delta is not None else float("inf")


def _latency(row: ResultRow, by_estimate: bool) -> float:
    bound = row.latency_ms_p50 if by_estimate else row.latency_ms_p50_ci_high
    return bound if bound is not None else float("inf")


def _size(row: ResultRow, by_estimate: bool) -> float:
    return row.artifact_mb if row.artifact_mb is not None else float("inf")


LIMIT_KINDS = (
    Kind("max_accuracy_drop", "the drop in accuracy", " points", _drop),
    Kind("max_latency_ms", "p50", " ms", _latency),
    Kind("max_size_mb", "the artifact", " MB", _size),
)


@dataclass(frozen=True)
class Choice:
    """The variant to deploy, and why."""

    best: ResultRow | None
    runner_up: ResultRow | None  # the second-fastest variant within the limits
    fastest: ResultRow | None  # the fastest variant without limits, if it is not the best
    reason: str  # in one sentence
    # If no variant keeps the limits: which raised limits would admit one, one limit at a time if possible
    relaxed: tuple[str, ...] = ()
    # Variants within the limits whose speedup cannot be told from the best one's: the intervals overlap
    ties: tuple[str, ...] = ()


def gain(row: ResultRow, by_estimate: bool = False) -> float:
    """Return the speedup over the baseline, at the lower end of its interval unless `by_estimate`."""
    if row.verdict in ("baseline", "same"):  # differences within the margin do not count
        return 1.0
    return (row.speedup if by_estimate else row.speedup_ci_low) or 0.0


def choose(rows: Sequence[ResultRow], limits: Limits) -> Choice:
    """Choose among the variants of one family on one hardware in one scenario.

    A variant that is not surely faster than the baseline is chosen only if the baseline breaks a limit.
    """
    measured = [row for row in rows if row.verdict not in UNMEASURED_VERDICTS and row.latency_ms_p50]
    if not measured:
        return Choice(None, None, None, "nothing was measured here")
    if not all(row.trained for row in measured):
        return Choice(None, None, None, UNTRAINED_REASON)
    if any(row.unreliable for row in rows):
        return Choice(None, None, None, UNRELIABLE_REASON)
    ranked = sorted(measured, key=lambda row: -gain(row, limits.by_estimate))
    able = [row for row in ranked if not limits.broken(row)]
    if not able:
        return Choice(None, None, ranked[0], "nothing keeps all limits", _relaxed(ranked, limits))
    best, runner_up = able[0], able[1] if len(able) > 1 else None
    fastest = ranked[0] if ranked[0] is not best else None
    ties = tuple(row.variant for row in able[1:] if _overlap(best, row))
    return Choice(best, runner_up, fastest, _reason(best, runner_up, fastest, limits), ties=ties)


def _overlap(best: ResultRow, other: ResultRow) -> bool:
    return best.verdict != "baseline" and (other.speedup_ci_high or 1.0) > (best.speedup_ci_low or 1.0)


def _reason(best: ResultRow, runner_up: ResultRow | None, fastest: ResultRow | None, limits: Limits) -> str:
    sure, least = ("", "") if limits.by_estimate else ("surely ", "at least ")
    if best.verdict == "baseline":
        sentence = f"nothing that keeps the limits is {sure}faster than the baseline"
    else:
        most = "the most by the estimates" if limits.by_estimate else "for sure the most"
        sentence = f"of what keeps the limits it gains {most}, {least}{gain(best, limits.by_estimate):.2f}x"
    if runner_up:
        sentence += f"; {runner_up.variant} {_beside(best, runner_up, limits.by_estimate)}"
    if fastest and (broken := limits.broken(fastest)):
        sentence += f"; {fastest.variant} would gain {least}{gain(fastest, limits.by_estimate):.2f}x, but "
        sentence += " and ".join(broken)
    return sentence


def _beside(best: ResultRow, runner_up: ResultRow, by_estimate: bool) -> str:
    """Return in words how the runner-up compares with the best."""
    sentence = f"gains {'' if by_estimate else 'at least '}{gain(runner_up, by_estimate):.2f}x"
    better = []
    if runner_up.artifact_mb and best.artifact_mb and runner_up.artifact_mb < 0.9 * best.artifact_mb:
        better.append(f"its artifact is {runner_up.artifact_mb / best.artifact_mb:.0%} as large")
    if runner_up.accuracy is not None and best.accuracy is not None and runner_up.accuracy > best.accuracy:
        better.append(f"it scores {100 * (runner_up.accuracy - best.accuracy):.2f} points more")
    if better:
        sentence += f", though {' and '.join(better)}"
    return f"{sentence} (their intervals overlap)" if _overlap(best, runner_up) else sentence


def _relaxed(rows: Sequence[ResultRow], limits: Limits) -> tuple[str, ...]:
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
            raised = choose(rows, _with(limits, kind, _up(cost))).best
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
