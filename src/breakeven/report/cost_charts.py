"""The charts of what a variant costs once, and of the calls that pay it back."""

from collections.abc import Sequence

import altair as alt
import numpy as np

from breakeven.core.format import brief
from breakeven.report.vega import LINE_HEIGHT, Chart, Point, decades, series, shapes, spec, tips
from breakeven.report.verdict_marks import variant_axis
from breakeven.results.result_row import ResultRow

BREAK_EVEN_LINES = 5  # at most, with the baseline's: they run close to each other
CALLS = np.geomspace(1, 1e7, 29).round().astype(int).tolist()  # along the axis of the break-even chart


def cold_starts(rows: Sequence[ResultRow]) -> Chart:
    """Return the seconds of building and starting each variant."""
    data = [
        {"variant": row.variant, "part": part, "seconds": seconds}
        for row in rows
        if not row.is_twin
        for part, seconds in (("build", row.build_s), ("start, nothing cached", row.cold_start_s))
        if seconds is not None
    ]
    bars = alt.Chart(alt.NamedData("table")).mark_bar()
    chart = bars.encode(
        y=variant_axis("variant", rows),
        x=alt.X("sum(seconds):Q", axis=alt.Axis(tickCount=5), title="seconds"),
        color=series("part"),
        tooltip=tips("variant", "part", seconds=".3f"),
    )
    caption = (
        "Build: export, quantization and compilation, once. Start: load, and the calls until steady. "
        "The training of a compression is not shown here."
    )
    return Chart(
        "cold",
        "Build and cold start",
        caption,
        data,
        spec(chart, LINE_HEIGHT * len({point["variant"] for point in data})),
        summary=_slowest(data),
    )


def _slowest(data: Sequence[Point]) -> str:
    if not data:
        return ""
    longest = max(data, key=lambda point: point["seconds"])
    return f"The longest: {longest['part']} of {longest['variant']}, {brief(longest['seconds'])} s."


def break_even(rows: Sequence[ResultRow]) -> Chart:
    """Return total time against the number of calls."""
    base = next((row for row in rows if row.verdict == "baseline"), None)
    faster = [row for row in rows if row.verdict == "faster"]
    chosen = [base, *_first_to_pay(faster, base)] if base else []
    data = [
        {
            **{"variant": row.variant, "calls": calls, "seconds": once + calls * each},
            "paid_back": row is not base and calls == int(row.breakeven_calls or 0),
        }
        for row in chosen
        if base
        for once, each in [_costs(row, base)]
        for calls in sorted({*CALLS, max(1, int(row.breakeven_calls or 0))})
    ]
    scale, shown = alt.Scale(type="log"), [row.variant for row in chosen]
    plane = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("calls:Q", scale=scale, axis=decades(CALLS), title="calls"),
        y=alt.Y(
            "seconds:Q", scale=scale, axis=decades((p["seconds"] for p in data), "~g"), title="seconds in all"
        ),
    )
    lines = plane.encode(color=series("variant", shown))
    tooltip = tips("variant", calls=",", seconds=".4g")
    marks = lines.transform_filter("datum.paid_back").mark_point(filled=True, size=110, opacity=1)
    figures = plane.transform_filter("datum.paid_back").mark_text(dy=-12, fontSize=11, align="right")
    chart = alt.layer(
        lines.mark_line(),
        lines.mark_point(size=80, opacity=0).encode(tooltip=tooltip),  # a line is too thin to point at
        marks.encode(shape=shapes("variant", shown), tooltip=tooltip),
        figures.encode(text=alt.Text("calls:Q", format=",")),
    )
    left_out = len(faster) - len(chosen) + 1
    caption = (
        "Training of the compression, build, start and all calls. A mark: there a variant's line crosses the "
        "baseline's, and after so many calls it is paid back."
    )
    if left_out > 0 and chosen:
        caption += f" Left out, so that lines can be told apart: {left_out} more."
    told = "; ".join(f"{row.variant} after {brief(float(row.breakeven_calls or 0))}" for row in chosen[1:])
    return Chart(
        "calls",
        "Break-even in calls",
        caption,
        data,
        spec(chart, 300),
        summary=f"Paid back: {told or 'none'}.",
    )


def _first_to_pay(faster: Sequence[ResultRow], base: ResultRow) -> list[ResultRow]:
    """Return the rows of the break-even chart, at most `BREAK_EVEN_LINES` with the baseline.

    The recommended variant comes first, then those that are the cheapest of all at some number of calls,
    then those that are paid back soonest.
    """
    costs = {row.variant: _costs(row, base) for row in faster}
    cheapest = {
        min(costs, key=lambda name: costs[name][0] + calls * costs[name][1]) for calls in CALLS if costs
    }

    def rank(row: ResultRow) -> tuple[bool, bool, int]:
        return not row.recommended, row.variant not in cheapest, int(row.breakeven_calls or 0)

    return sorted(faster, key=rank)[: BREAK_EVEN_LINES - 1]


def _costs(row: ResultRow, base: ResultRow) -> tuple[float, float]:
    """Return the one-time seconds of a variant and its seconds for each call.

    Both follow from the row's paired speedup and break-even calls instead of its medians. The variant's line
    therefore crosses the baseline's at the break-even calls of its row.
    """
    gain = row.speedup or 1.0
    call_s = (base.latency_ms_p50 or 0.0) / 1000 / gain
    once = (base.build_s or 0.0) + (base.cold_start_s or 0.0)
    return once + int(row.breakeven_calls or 0) * call_s * (gain - 1), call_s
