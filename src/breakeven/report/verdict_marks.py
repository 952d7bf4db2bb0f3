"""The marks of variants in charts: a colour and a shape for each verdict, a star, and a sign for limits."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from breakeven.report.row_text import BEYOND_LIMITS
from breakeven.report.vega import GREY, NARROW, VERDICT_LEGEND, WIDTH_PARAMETER, Point, names, series
from breakeven.results.result_row import ResultRow

# Each verdict has a shape besides its colour. Cards and tables give it the same colour.
VERDICT_MARKS = {
    "faster": ("#009E73", "circle"),
    "faster, may exceed a limit": ("#896337", "triangle-right"),
    "slower": ("#D55E00", "triangle-down"),
    "same": ("#0F83C9", "square"),
    "undecided": (GREY, "diamond"),
    "twin": ("#C45A96", "cross"),
    "baseline": (GREY, "triangle-up"),
}
STAR_COLOUR, STAR_EDGE = "#FFC933", "#8A6500"
STAR_PATH = "M0,-1L.24,-.32L.95,-.31L.38,.12L.59,.81L0,.4L-.59,.81L-.38,.12L-.95,-.31L-.24,-.32Z"


def variant_axis(field: str, rows: Sequence[ResultRow]) -> alt.Y:
    """Return an axis with one line for each name, in the order of `rows`."""
    return names(field, [row.variant for row in rows])


def point_layer(base: Any, rows: Sequence[ResultRow]) -> Any:
    """Return one point for each variant. Colour and shape show its verdict; its tooltip is that of `base`."""
    verdicts = _verdicts(rows)
    shapes = alt.Scale(domain=verdicts, range=[VERDICT_MARKS[verdict][1] for verdict in verdicts])
    # A finger hits the transparent stroke, too.
    return base.mark_point(filled=True, size=70, opacity=1, stroke="transparent", strokeWidth=14).encode(
        color=colours(rows),
        shape=alt.Shape("verdict:N", scale=shapes, legend=VERDICT_LEGEND, title=None),
    )


def star_layer(base: Any) -> Any:
    """Return a star behind the point of the recommended variant."""
    mark = {"shape": STAR_PATH, "size": 420, "filled": True, "color": STAR_COLOUR}
    mark |= {"stroke": STAR_EDGE, "strokeWidth": 1}
    return base.transform_filter("datum.recommended").mark_point(**mark)


def figure_layer(base: Any) -> Any:
    """Return the speedups as text beside their marks, with their intervals where there is room for them."""
    ends = "' (' + format(datum.low, '.2f') + ' to ' + format(datum.high, '.2f') + ')'"
    bounds = f"({WIDTH_PARAMETER} < {NARROW} || !isValid(datum.low) ? '' : {ends})"
    sign = f"(datum.beyond_limits ? ' {BEYOND_LIMITS}' : '')"
    text = f"format(datum.speedup, '.2f') + 'x' + {bounds} + {sign}"
    mark = {"dx": 12, "fontSize": 11, "align": "left"}
    return base.transform_calculate(figure=text).mark_text(**mark).encode(text="figure:N")


def shown_verdict(row: ResultRow) -> str:
    """Return a row's verdict, and whether it is faster at a cost that may be too high."""
    if row.is_twin:
        return "twin"  # records of an earlier version call it a control
    may_exceed = row.verdict == "faster" and row.beyond_limits
    return "faster, may exceed a limit" if may_exceed else row.verdict


def marks_of(row: ResultRow) -> Point:
    """Return whether a row is to be deployed, and whether it may exceed a limit."""
    return {"recommended": bool(row.recommended), "beyond_limits": bool(row.beyond_limits)}


def has_beyond(data: Sequence[Point]) -> bool:
    """Return whether a variant may exceed a limit."""
    return any(point["beyond_limits"] for point in data)


def about_marks(data: Sequence[Point], *, signs: bool = True) -> str:
    """Return in words what the star, and the signs beside marks, mean, as far as they occur.

    Args:
        signs: whether the chart has signs.
    """
    star = " The star is the variant to deploy." if any(point["recommended"] for point in data) else ""
    beyond = f" {BEYOND_LIMITS} may exceed a limit." if signs and has_beyond(data) else ""
    return star + beyond


def colours(rows: Sequence[ResultRow]) -> alt.Color:
    """Return the colours of the verdicts that occur in the rows."""
    verdicts = _verdicts(rows)
    return series("verdict", verdicts, [VERDICT_MARKS[verdict][0] for verdict in verdicts], VERDICT_LEGEND)


def _verdicts(rows: Sequence[ResultRow]) -> list[str]:
    """Return the verdicts that occur in the rows, in the order of `VERDICT_MARKS`."""
    return [verdict for verdict in VERDICT_MARKS if any(shown_verdict(row) == verdict for row in rows)]
