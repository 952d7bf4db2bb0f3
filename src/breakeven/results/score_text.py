"""A row's score, and its change from the baseline's, as people read them."""

from collections.abc import Iterable

from breakeven.plugins.tasks.base import PERCENT, figure_text, metric_words
from breakeven.results.result_row import ResultRow

UNSEEN = 5e-5  # a smaller change, as a share of the score, is less than its fourth digit


def metric_title(rows: Iterable[ResultRow]) -> str:
    """Return the name of the score that these rows have; "score" if they have several."""
    names = list(dict.fromkeys(row.metric for row in rows)) or ["accuracy"]
    return metric_words(names[0]) if len(names) == 1 else "score"


def score_text(row: ResultRow) -> str:
    """Return a row's score with its unit; empty if it has none."""
    return "" if row.score is None else figure_text(row.score, row.metric_unit)


def worst_text(row: ResultRow) -> str:
    """Return the score at the unfavourable end of its interval; empty for the baseline and its twin."""
    end = row.score_delta_ci_low if row.metric_better == "higher" else row.score_delta_ci_high
    if row.score is None or row.verdict == "baseline" or row.is_twin:
        return ""
    if row.is_exact or row.score_delta is None or end is None:
        return score_text(row) if row.is_exact else ""
    return figure_text(row.score - row.score_delta + end, row.metric_unit)


def change_unit(row: ResultRow) -> str:
    """Return the unit of a change of the score: percentages change by points."""
    return "points" if row.metric_unit == PERCENT else row.metric_unit


def change_text(row: ResultRow, delta: float, digits: int = 2) -> str:
    """Return a change of the score without its unit, with its sign; "+0" if the score's digits hide it."""
    if row.metric_unit == PERCENT:
        return f"{100 * delta:+.{digits}f}"
    return "+0" if abs(delta) < UNSEEN * abs(row.score or 0.0) else f"{delta:+.3g}"


def same_text(row: ResultRow) -> str:
    """Return what does not change in a row that computes what the baseline does."""
    return "the same class" if row.metric == "accuracy" else "the same decision"


def bounds_text(row: ResultRow, low: float, high: float) -> str:
    """Return the bounds of a change of the score without their unit."""
    return f"{change_text(row, low, 1)} to {change_text(row, high, 1)}"
