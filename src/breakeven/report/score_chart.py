"""The chart of scores against latency, with the Pareto front of the two."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt

from breakeven.core.format import brief
from breakeven.plugins.tasks.base import PERCENT, at_start, figure_text
from breakeven.report.vega import GREY, Chart, Point, decades, spec, tips, with_interval
from breakeven.report.verdict_marks import (
    about_marks,
    colours,
    marks_of,
    point_layer,
    shown_verdict,
    star_layer,
)
from breakeven.results.limits import Limits
from breakeven.results.result_row import ResultRow, fastest_first
from breakeven.results.score_text import metric_title

MAX_LABELS = 5  # names of points in one chart
LIMIT_COLOUR = "#D55E00"
LABEL_ROOM = 0.07  # of a chart's height: names that are nearer to each other would cover each other
SIDES: dict[Literal["left", "right"], int] = {"left": 3, "right": -3}  # alignment of a name -> pixels aside


def score_by_latency(test_samples: int, rows: Sequence[ResultRow], limits: Limits | None = None) -> Chart:
    """Return the score against latency in one cell, with the Pareto front of the two, and the limit.

    Args:
        limits: of the study; None draws none.
    """
    rows = fastest_first(rows)
    metric, times = metric_title(rows), factor(rows)
    lower = bool(rows) and rows[0].metric_better == "lower"
    unit = rows[0].metric_unit if rows else PERCENT
    axis_title = f"{metric}, {unit}" if unit else metric
    data: list[Point] = [
        {
            **{"variant": row.variant, "latency_ms": row.latency_ms_p50},
            **{"score": times * row.score, "front": False, "verdict": shown_verdict(row)},
            "change": None if row.score_delta is None else times * row.score_delta,
            **dict(zip(("low", "high"), _bounds(row), strict=True)),
            **marks_of(row),
        }
        for row in rows
        if row.score is not None and row.latency_ms_p50 and not row.is_twin
    ]
    rows = [row for row in rows if not row.is_twin]
    best, sign = -math.inf, -1 if lower else 1
    for point in sorted(data, key=lambda point: (point["latency_ms"], -sign * point["score"])):
        point["front"] = sign * point["score"] > best
        best = max(best, sign * point["score"])
    limit = _limit(rows, limits)
    drawn = [*data, *({"score": bar, "low": None, "high": None} for bar in limit)]
    y_scale = score_scale(drawn, percent=unit == PERCENT)
    x = alt.X(
        "latency_ms:Q",
        scale=alt.Scale(type="log", padding=16),
        axis=decades((point["latency_ms"] for point in data), "~g"),
        title="p50, ms (logarithmic)",
    )
    base = with_interval(alt.Chart(alt.NamedData("table"))).encode(
        x=x,
        y=alt.Y("score:Q", scale=y_scale, title=axis_title),
        tooltip=tips("variant", "verdict", "interval", score=".4g", change="+.3g", latency_ms=".4g"),
    )
    line = base.transform_filter("datum.front").mark_line(
        interpolate="step-after", color=GREY, strokeDash=[4, 3], tooltip=None
    )
    whisker = base.mark_rule(strokeWidth=1.5).encode(
        y=alt.Y("low:Q", scale=y_scale), y2="high:Q", color=colours(rows)
    )
    y = alt.Y("score:Q", scale=y_scale)
    named = [_named_points(_labels(data), side).encode(x=x, y=y) for side in _sides(data)]
    bars = [
        alt.Chart(alt.InlineData([{"limit": bar}]))
        .mark_rule(color=LIMIT_COLOUR, strokeDash=[2, 3], strokeWidth=2)
        .encode(y=alt.Y("limit:Q", scale=y_scale), tooltip=tips(limit=".4g"))
        for bar in limit
    ]
    about_limit = " Dotted: the limit. A variant whose line crosses it may lose more." if limit else ""
    return Chart(
        "accuracy",
        f"{at_start(metric)} against latency",
        f"Of {test_samples:,} test samples; "
        f"{'down' if lower else 'up'} and to the left is better. Vertical lines: the "
        "interval of the change against the baseline. The dashed line joins the variants that no other "
        f"beats in both, by the estimates.{about_limit}{about_marks(data, signs=False)}",
        data,
        spec(alt.layer(*bars, line, whisker, star_layer(base), point_layer(base, rows), *named), 320),
        summary=_front(data, unit),
    )


def _limit(rows: Sequence[ResultRow], limits: Limits | None) -> list[float]:
    """Return the worst score that the limits allow, as the chart shows it; [] for none."""
    worst = limits.worst_score(rows) if limits else None
    return [] if worst is None else [factor(rows) * worst]


def _labels(data: Sequence[Point]) -> list[Point]:
    """Return where to write the names of the recommended variant and of the fastest ones on the front.

    A name that would cover another one is left out.
    """
    wanted = [point for point in data if point["front"] or point["recommended"]]
    wanted.sort(key=lambda point: (not point["recommended"], point["latency_ms"]))
    times, scores = [point["latency_ms"] for point in data], [point["score"] for point in data]
    middle = math.sqrt(min(times) * max(times)) if times else 0.0
    room = LABEL_ROOM * (max(scores, default=0.0) - min(scores, default=0.0))
    named: list[Point] = []
    for point in wanted:
        if all(abs(point["score"] - other["score"]) > room for other in named):
            named.append(point)
    return [
        {
            **{key: point[key] for key in ("variant", "latency_ms", "score")},
            "side": "right" if point["latency_ms"] > middle else "left",
        }
        for point in named[:MAX_LABELS]
    ]


def _sides(data: Sequence[Point]) -> list[Literal["left", "right"]]:
    """Return the alignments that occur among the names of points."""
    found = {point["side"] for point in _labels(data)}
    return [side for side in SIDES if side in found]


def _named_points(points: Sequence[Point], side: Literal["left", "right"]) -> Any:
    """Return the names of the points whose name is aligned to this side."""
    own = alt.InlineData([point for point in points if point["side"] == side])
    mark = alt.Chart(own).mark_text(align=side, dx=SIDES[side], dy=-12, fontSize=11, fontWeight="bold")
    return mark.encode(text="variant:N")


def _front(data: Sequence[Point], unit: str) -> str:
    """Return the variants on the front with their figures, the fastest first."""
    front = sorted((point for point in data if point["front"]), key=lambda point: point["latency_ms"])
    told = [
        f"{point['variant']}: {_shown(point['score'], unit)} in {brief(point['latency_ms'])} ms"
        for point in front[:MAX_LABELS]
    ]
    return f"Not beaten in both: {'; '.join(told)}."


def _shown(score: float, unit: str) -> str:
    """Return a score as charts have it, with its unit: percentages are not fractions here."""
    return figure_text(score / 100 if unit == PERCENT else score, unit)


def _bounds(row: ResultRow) -> tuple[float | None, float | None]:
    """Return the interval of a variant's score, as the chart shows it.

    It is the baseline's score plus the interval of the change from it.
    """
    if row.verdict == "baseline" or row.score is None or row.score_delta is None:
        return None, None
    before, times = row.score - row.score_delta, factor([row])
    bounds = [
        None if change is None else times * (before + change)
        for change in (row.score_delta_ci_low, row.score_delta_ci_high)
    ]
    if row.metric_unit == PERCENT:
        bounds = [None if bound is None else min(max(bound, 0.0), 100.0) for bound in bounds]
    return bounds[0], bounds[1]


def factor(rows: Sequence[ResultRow]) -> float:
    """Return by what the charts multiply a score: percentages are stored as fractions."""
    return 100.0 if not rows or rows[0].metric_unit == PERCENT else 1.0


def score_scale(
    data: Sequence[Point], keys: Sequence[str] = ("score", "low", "high"), *, percent: bool = True
) -> alt.Scale:
    """Return a scale that holds all scores and their intervals; percentages end at 0% and at 100%."""
    ends = [point[key] for point in data for key in keys if point[key] is not None]
    low, high = min(ends, default=0.0), max(ends, default=100.0)
    room = max(0.08 * (high - low), 0.2 if percent else 0.01 * abs(high))
    low, high = low - room, high + room
    return alt.Scale(
        zero=False, nice=False, domain=[max(low, 0.0), min(high, 100.0)] if percent else [low, high]
    )
