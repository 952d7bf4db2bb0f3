"""The limits on what a variant may cost. A variant keeps one if the unfavourable end of its interval does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from breakeven.plugins.tasks.base import PERCENT
from breakeven.results.result_row import ResultRow
from breakeven.results.score_text import metric_title

if TYPE_CHECKING:
    from breakeven.config.study import Study

DROP, LOSS = "max_accuracy_drop", "max_score_loss"
UNITS = {DROP: True, LOSS: False}  # limit on a score -> whether on those in percent, or on all others
EPSILON = 1e-9


@dataclass(frozen=True)
class Limits:
    """The limits on what a variant may cost; None means no limit."""

    max_accuracy_drop: float | None = None  # percentage points below the baseline, of scores in percent
    max_score_loss: float | None = None  # by how much other scores may be worse, in the metric's own unit
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

    def sentence(self, rows: Sequence[ResultRow]) -> str:
        """Return the limits on these rows in plain words; "" for none.

        For example, "surely loses at most 2 points of accuracy".
        """
        said = []
        for kind in LIMIT_KINDS:
            own = [row for row in rows if kind.limits(row)]
            if own and (limit := getattr(self, kind.limit)) is not None:
                said.append(kind.words.format(limit=f"{limit:g}", metric=metric_title(own)))
        surely = "" if self.by_estimate or not said else "surely "
        return f"{surely}{' and '.join(said)}"

    def worst_score(self, rows: Sequence[ResultRow]) -> float | None:
        """Return the worst score that the limits allow, by the baseline of these rows; None for none."""
        base = next((row for row in rows if row.verdict == "baseline"), None)
        if base is None or base.score is None:
            return None
        in_percent = base.metric_unit == PERCENT
        allowed = self.max_accuracy_drop if in_percent else self.max_score_loss
        if allowed is None:
            return None
        loss = allowed / 100 if in_percent else allowed
        return base.score + (loss if base.metric_better == "lower" else -loss)

    def broken(self, row: ResultRow) -> list[str]:
        """Return in words which limits a row exceeds."""
        may, metric = "is" if self.by_estimate else "may be", metric_title([row])
        return [
            f"{kind.cost_words.format(metric=metric, may=may, cost=f'{cost:.3g}')} (the limit is {limit:g})"
            for kind, limit, cost in self.over(row)
        ]

    def in_short(self, row: ResultRow) -> str:
        """Return in a few words what is wrong with a row that exceeds limits; empty if it keeps them."""
        return " and ".join(
            kind.brief.format(metric=metric_title([row]), cost=f"{cost:.3g}")
            for kind, _, cost in self.over(row)
        )

    def over(self, row: ResultRow) -> list[tuple["Kind", float, float]]:
        """Return each limit that a row exceeds: its kind, its value, and what the row costs."""
        costs = [(kind, getattr(self, kind.limit), kind.cost(row, self.by_estimate)) for kind in LIMIT_KINDS]
        return [
            (kind, bar, cost) for kind, bar, cost in costs if bar is not None and not cost <= bar + EPSILON
        ]


@dataclass(frozen=True)
class Kind:
    """A kind of limit: its name and how a row's cost is read."""

    limit: str  # its name in `Limits`, in a study and, with dashes, on the command line
    cost_words: str  # with places for the metric, "is" or "may be", and what a row costs
    words: str  # with places for the limit and the metric
    cost: Callable[[ResultRow, bool], float]  # of a row, by its estimate or at the end of its interval
    brief: str  # what a variant beyond it does, in a few words with places for the metric and the cost

    def limits(self, row: ResultRow) -> bool:
        """Return whether such a limit concerns the row: one on a score concerns scores of its own unit."""
        return self.limit not in UNITS or UNITS[self.limit] == (row.metric_unit == PERCENT)

    @property
    def option(self) -> str:
        """Return the option's name on the command line."""
        return f"--{self.limit.replace('_', '-')}"


def _drop(row: ResultRow, by_estimate: bool) -> float:
    return 100 * _worse_by(row, by_estimate) if row.metric_unit == PERCENT else 0.0


def _loss(row: ResultRow, by_estimate: bool) -> float:
    return 0.0 if row.metric_unit == PERCENT else _worse_by(row, by_estimate)


def _worse_by(row: ResultRow, by_estimate: bool) -> float:
    """Return by how much a row's score is worse than the baseline's, by the estimate or at the bad end."""
    if row.verdict == "baseline" or row.is_exact:
        return 0.0
    if row.metric_better == "higher":
        delta = row.score_delta if by_estimate else row.score_delta_ci_low
        return -delta if delta is not None else float("inf")
    delta = row.score_delta if by_estimate else row.score_delta_ci_high
    return delta if delta is not None else float("inf")


def _latency(row: ResultRow, by_estimate: bool) -> float:
    bound = row.latency_ms_p50 if by_estimate else row.latency_ms_p50_ci_high
    return bound if bound is not None else float("inf")


def _size(row: ResultRow, by_estimate: bool) -> float:
    return row.artifact_mb if row.artifact_mb is not None else float("inf")


LIMIT_KINDS = (
    Kind(
        DROP,
        "the drop in {metric} {may} {cost} points",
        "loses at most {limit} points of {metric}",
        _drop,
        "may lose {cost} points",
    ),
    Kind(
        LOSS,
        "the {metric} {may} worse by {cost}",
        "keeps its {metric} within {limit} of the baseline's",
        _loss,
        "{metric} may be worse by {cost}",
    ),
    Kind(
        "max_latency_ms",
        "p50 {may} {cost} ms",
        "takes at most {limit} ms (p50)",
        _latency,
        "may take {cost} ms",
    ),
    Kind("max_size_mb", "the artifact {may} {cost} MB", "has at most {limit} MB", _size, "has {cost} MB"),
)
