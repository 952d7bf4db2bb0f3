"""The chart of speedups with their intervals."""

import math
from collections.abc import Sequence

import altair as alt

from breakeven.report.vega import GREY, LINE_HEIGHT, Chart, Point, spec, tips, with_interval
from breakeven.report.verdict_marks import (
    about_marks,
    colours,
    figure_layer,
    marks_of,
    point_layer,
    shown_verdict,
    star_layer,
    variant_axis,
)
from breakeven.results.result_row import ResultRow, fastest_first

MOST_TICKS = 6
ROOM = 0.85  # of the length of the axis besides: for the figures beside the marks


def speedups(rows: Sequence[ResultRow]) -> Chart:
    """Return the speedups of one cell with their intervals, the noise floor shaded; the fastest first."""
    rows = [row for row in fastest_first(rows) if row.speedup_ci_low]
    data = [
        {
            **{"variant": row.variant, "verdict": shown_verdict(row), "speedup": row.speedup},
            **{"low": row.speedup_ci_low, "high": row.speedup_ci_high},
            **marks_of(row),
        }
        for row in rows
    ]
    floor = max((row.noise_floor or 1.0 for row in rows), default=1.0)
    highest = max((row.speedup_ci_high or 1.0 for row in rows), default=1.0)
    lowest = min((row.speedup_ci_low or 1.0 for row in rows), default=1.0)
    widest = highest * (highest / min(lowest, 1.0)) ** ROOM
    scale = alt.Scale(type="log", base=2, nice=False, padding=12, domainMax=widest)
    axis = alt.Axis(format="~g", labelExpr="datum.label + 'x'", values=_ticks(lowest, highest))
    base = with_interval(alt.Chart(alt.NamedData("table"))).encode(
        y=variant_axis("variant", rows), tooltip=tips("variant", "verdict", "interval", speedup=".3f")
    )
    once = alt.Chart(alt.InlineData([{}]))
    band = once.mark_rect(opacity=0.3, color=GREY).encode(
        x=alt.XDatum(1 / floor, scale=scale), x2=alt.X2Datum(floor)
    )
    one = once.mark_rule(color=GREY, strokeWidth=1).encode(x=alt.XDatum(1, scale=scale))
    whisker = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q", color=colours(rows)
    )
    x = alt.X("speedup:Q", scale=scale, axis=axis, title="speedup over eager (log scale)")
    star, point = star_layer(base).encode(x=x), point_layer(base, rows).encode(x=x)
    figures = figure_layer(base).encode(x=alt.X("high:Q", scale=scale))
    return Chart(
        "speedup",
        "Speedup, with its interval",
        "To the right of 1x is faster. Lines: intervals, which hold all at once; marks hide narrow ones. "
        f"Grey: what the twin, a copy of the baseline, shows as noise (up to {floor - 1:.1%})."
        f"{about_marks(data)}",
        data,
        spec(alt.layer(band, one, whisker, star, point, figures), LINE_HEIGHT * len(data)),
        summary=_range(data),
    )


def _ticks(lowest: float, highest: float) -> list[float]:
    """Return at most six powers of two between the speedups: beyond them the axis has room for text only."""
    first, last = math.ceil(math.log2(min(lowest, 1.0))), math.floor(math.log2(max(highest, 1.0)))
    step = math.ceil((last - first + 1) / MOST_TICKS)
    return [2.0**power for power in range(first, last + 1) if power % step == 0]  # 1x is one of them


def _range(data: Sequence[Point]) -> str:
    """Return the number of variants, and their least and greatest speedups."""
    if not data:
        return ""
    fastest, slowest = data[0], data[-1]
    return (
        f"{len(data)} variants, from {slowest['speedup']:.2f}x ({slowest['variant']}) "
        f"to {fastest['speedup']:.2f}x ({fastest['variant']})."
    )
