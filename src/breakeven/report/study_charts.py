"""The charts of a study on the report's page: each has its data and a Vega-Lite drawing made by Altair."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import altair as alt
import numpy as np

from breakeven.core.format import brief
from breakeven.plugins.tasks.base import PERCENT, at_start, figure_text
from breakeven.report.row_text import BEYOND_LIMITS
from breakeven.report.vega import (
    COLOUR_RANGE,
    GREY,
    LINE_HEIGHT,
    MAX_LINES,
    VERDICT_LEGEND,
    Chart,
    Point,
    decades,
    lines,
    names,
    series,
    spec,
    tips,
    with_interval,
)
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow
from breakeven.results.score_text import metric_title

# Each verdict has a shape besides its colour. Cards and tables give it the same colour.
VERDICT_MARKS = {
    "faster": ("#009E73", "circle"),
    "slower": ("#D55E00", "triangle-down"),
    "same": ("#0F83C9", "square"),
    "undecided": (GREY, "diamond"),
    "twin": ("#C45A96", "cross"),
    "baseline": (GREY, "triangle-up"),
}
CALLS = np.geomspace(1, 1e7, 29).round().astype(int).tolist()  # along the axis of the break-even chart
STAR_COLOUR = "#C58800"
MAX_LABELS = 5  # names of points in one chart
LABEL_ROOM = 0.07  # of a chart's height: names that are nearer to each other would cover each other
SIDES: dict[Literal["left", "right"], int] = {"left": 3, "right": -3}  # alignment of a name -> pixels aside
STAR_PATH = "M0,-1L.24,-.32L.95,-.31L.38,.12L.59,.81L0,.4L-.59,.81L-.38,.12L-.95,-.31L-.24,-.32Z"
QUANTILES = {"p1": 1, "p25": 25, "p50": 50, "p75": 75, "p99": 99}


def charts_of(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> list[Chart]:
    """Return the charts of one family on one hardware in one scenario."""
    charts = (draw(benchmark, _timed(rows)) for draw in CHARTS_IN_ORDER)
    return [chart for chart in charts if chart.data]


def _timed(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the rows that have a speedup, the fastest first."""
    return sorted((row for row in rows if row.speedup), key=lambda row: -(row.speedup or 0))


def _forest(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    return speedups(rows)


def speedups(rows: Sequence[ResultRow]) -> Chart:
    """Return the speedups of one cell with their intervals, the noise floor shaded; the fastest first."""
    rows = [row for row in rows if row.speedup and row.speedup_ci_low]
    rows.sort(key=lambda row: -(row.speedup or 0))
    data = [
        {
            **{"variant": row.variant, "verdict": row.verdict, "speedup": row.speedup},
            **{"low": row.speedup_ci_low, "high": row.speedup_ci_high},
            **_marks(row),
        }
        for row in rows
    ]
    floor = max((row.noise_floor or 1.0 for row in rows), default=1.0)
    scale = alt.Scale(type="log", base=2, nice=False, padding=12)
    axis = alt.Axis(format="~g", labelExpr="datum.label + 'x'", tickCount=5)
    base = with_interval(alt.Chart(alt.NamedData("table"))).encode(
        y=_names("variant", rows), tooltip=tips("variant", "verdict", "interval", speedup=".3f")
    )
    once = alt.Chart(alt.InlineData([{}]))
    band = once.mark_rect(opacity=0.3, color=GREY).encode(
        x=alt.XDatum(1 / floor, scale=scale), x2=alt.X2Datum(floor)
    )
    one = once.mark_rule(color=GREY, strokeWidth=1).encode(x=alt.XDatum(1, scale=scale))
    whisker = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q", color=_colours(rows)
    )
    x = alt.X("speedup:Q", scale=scale, axis=axis, title="speedup over eager fp32")
    star, point = _star(base).encode(x=x), _points(base, rows).encode(x=x)
    beyond = [_beyond(base).encode(x=alt.X("high:Q", scale=scale))] if _has_beyond(data) else []
    return Chart(
        "speedup",
        "Speedup, with its interval",
        f"To the right of 1x is faster. Lines: intervals; a mark hides those that are narrower. Each "
        f"variant was timed in the same rounds as the baseline, and all "
        f"intervals hold at once. Grey: differences that the twin, a copy of the baseline, shows as noise "
        f"(up to {floor - 1:.1%}).{_about_marks(data)}",
        data,
        spec(alt.layer(band, one, whisker, star, point, *beyond), LINE_HEIGHT * len(data)),
        summary=_range(data),
    )


def _range(data: Sequence[Point]) -> str:
    """Return the number of variants, and their least and greatest speedups."""
    if not data:
        return ""
    fastest, slowest = data[0], data[-1]
    return (
        f"{len(data)} variants, from {slowest['speedup']:.2f}x ({slowest['variant']}) "
        f"to {fastest['speedup']:.2f}x ({fastest['variant']})."
    )


def score_by_latency(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    """Return the score against latency in one cell, with the Pareto front of the two."""
    rows = _timed(rows)
    metric, times = metric_title(rows), factor(rows)
    lower = bool(rows) and rows[0].metric_better == "lower"
    unit = rows[0].metric_unit if rows else PERCENT
    axis_title = f"{metric}, {unit}" if unit else metric
    data: list[Point] = [
        {
            **{"variant": row.variant, "latency_ms": row.latency_ms_p50},
            **{"score": times * row.score, "front": False, "verdict": row.verdict},
            "change": None if row.score_delta is None else times * row.score_delta,
            **dict(zip(("low", "high"), _bounds(row), strict=True)),
            **_marks(row),
        }
        for row in rows
        if row.score is not None and row.latency_ms_p50 and not row.is_twin
    ]
    rows = [row for row in rows if not row.is_twin]
    best, sign = -math.inf, -1 if lower else 1
    for point in sorted(data, key=lambda point: (point["latency_ms"], -sign * point["score"])):
        point["front"] = sign * point["score"] > best
        best = max(best, sign * point["score"])
    x = alt.X(
        "latency_ms:Q",
        scale=alt.Scale(type="log", padding=16),
        axis=decades((point["latency_ms"] for point in data), "~g"),
        title="p50, ms (logarithmic)",
    )
    base = with_interval(alt.Chart(alt.NamedData("table"))).encode(
        x=x,
        y=alt.Y("score:Q", scale=score_scale(data, percent=unit == PERCENT), title=axis_title),
        tooltip=tips("variant", "verdict", "interval", score=".4g", change="+.3g", latency_ms=".4g"),
    )
    line = base.transform_filter("datum.front").mark_line(
        interpolate="step-after", color=GREY, strokeDash=[4, 3], tooltip=None
    )
    y_scale = score_scale(data, percent=unit == PERCENT)
    whisker = base.mark_rule(strokeWidth=1.5).encode(
        y=alt.Y("low:Q", scale=y_scale), y2="high:Q", color=_colours(rows)
    )
    y = alt.Y("score:Q", scale=y_scale)
    named = [_named_points(_labels(data), side).encode(x=x, y=y) for side in _sides(data)]
    beyond = [_beyond(base).encode(y=y)] if _has_beyond(data) else []
    return Chart(
        "accuracy",
        f"{at_start(metric)} against latency",
        f"Of {benchmark.test_images:,} test samples; "
        f"{'down' if lower else 'up'} and to the left is better. Vertical lines: the "
        "interval of the change against the baseline. The dashed line joins the variants that no other "
        f"beats in both, by the estimates.{_about_marks(data)}",
        data,
        spec(alt.layer(line, whisker, _star(base), _points(base, rows), *beyond, *named), 320),
        summary=_front(data, unit),
    )


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


def _cold(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
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
        y=_names("variant", rows),
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


def _calls(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    """Return total time against the number of calls."""
    base = next((row for row in rows if row.verdict == "baseline"), None)
    faster = [row for row in rows if row.verdict == "faster"]
    chosen = [base, *_first_to_pay(faster, base)] if base else []
    data = [
        {"variant": row.variant, "calls": calls, "seconds": once + calls * each}
        for row in chosen
        if base
        for once, each in [_costs(row, base)]
        for calls in CALLS
    ]
    scale = alt.Scale(type="log")
    chart = lines(
        alt.X("calls:Q", scale=scale, axis=decades(CALLS), title="calls"),
        alt.Y(
            "seconds:Q", scale=scale, axis=decades((p["seconds"] for p in data), "~g"), title="seconds in all"
        ),
        [row.variant for row in chosen],
        tips("variant", calls=",", seconds=".4g"),
    )
    left_out = len(faster) - len(chosen) + 1
    caption = (
        "Training of the compression, build, start and all calls: a variant is paid back where its line "
        "crosses the baseline's."
    )
    if left_out > 0 and chosen:
        caption += f" Left out, so that lines can be told apart: {left_out} that never cost the least."
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
    """Return the rows of the break-even chart, at most `MAX_LINES` with the baseline.

    The recommended variant comes first, then those that are the cheapest of all at some number of calls,
    then those that are paid back soonest.
    """
    costs = {row.variant: _costs(row, base) for row in faster}
    cheapest = {
        min(costs, key=lambda name: costs[name][0] + calls * costs[name][1]) for calls in CALLS if costs
    }

    def rank(row: ResultRow) -> tuple[bool, bool, int]:
        return not row.recommended, row.variant not in cheapest, int(row.breakeven_calls or 0)

    return sorted(faster, key=rank)[: MAX_LINES - 1]


def _foremost(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the baseline and the most interesting faster variants, at most `MAX_LINES` rows.

    Recommended variants come first, then variants on the Pareto front, then the fastest.
    """
    chosen = [row for row in rows if row.verdict == "baseline"]
    faster = [row for row in rows if row.verdict == "faster"]
    faster.sort(key=lambda row: (not row.recommended, not row.pareto, -(row.speedup or 0)))
    return chosen + faster[: MAX_LINES - len(chosen)]


def _costs(row: ResultRow, base: ResultRow) -> tuple[float, float]:
    """Return the one-time seconds of a variant and its seconds for each call.

    Both follow from the row's paired speedup and break-even calls instead of its medians. The variant's line
    therefore crosses the baseline's at the break-even calls of its row.
    """
    gain = row.speedup or 1.0
    call_s = (base.latency_ms_p50 or 0.0) / 1000 / gain
    once = (base.build_s or 0.0) + (base.cold_start_s or 0.0)
    return once + int(row.breakeven_calls or 0) * call_s * (gain - 1), call_s


def _latency(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    """Return the distribution of single calls."""
    replicates_by_row = {_same(record.row): record.replicates for record in benchmark.records}
    data = []
    for row in rows:
        pooled = [
            call
            for one in replicates_by_row.get(_same(row), [])
            for block in one["blocks"]
            for call in block["calls_ms"]
        ]
        if pooled:
            cuts = np.percentile(pooled, list(QUANTILES.values())).tolist()
            data.append(
                {"variant": row.variant, "calls": len(pooled), **dict(zip(QUANTILES, cuts, strict=True))}
            )
    scale = alt.Scale(type="log", padding=8)
    axis = decades((point[end] for point in data for end in ("p1", "p99")), "~g")
    base = alt.Chart(alt.NamedData("table")).encode(
        y=_names("variant", rows),
        tooltip=tips("variant", calls=",", **dict.fromkeys(QUANTILES, ".4g")),
    )
    whole = base.mark_rule().encode(
        x=alt.X("p1:Q", scale=scale, axis=axis, title="ms a call (logarithmic)"),
        x2="p99:Q",
        color=alt.value(COLOUR_RANGE[0]),
    )
    middle = base.mark_bar(height=10).encode(x=alt.X("p25:Q", scale=scale), x2="p75:Q")
    tick = base.mark_tick(thickness=3, color=COLOUR_RANGE[1], height=16).encode(x=alt.X("p50:Q", scale=scale))
    caption = "Of single calls, outliers included: line from p1 to p99, bar from p25 to p75, tick at p50."
    return Chart(
        "latency",
        "Distribution of latency",
        caption,
        data,
        spec(alt.layer(whole, middle, tick), LINE_HEIGHT * len(data)),
        summary="; ".join(f"{point['variant']}: p50 {brief(point['p50'])} ms" for point in data[:MAX_LABELS]),
    )


def batches(rows: Sequence[ResultRow]) -> Chart | None:
    """Return throughput against batch size, of one family on one hardware; None with a single batch size."""
    single = [row for row in rows if row.callers == 1 and row.throughput_per_s]
    chosen = {row.variant for row in _foremost([row for row in single if row.batch_size == 1] or single)}
    data: list[Point] = [
        {
            **{"variant": row.variant, "batch": row.batch_size},
            **{"per_second": row.throughput_per_s, "latency_ms_p99": row.latency_ms_p99},
        }
        for row in sorted(single, key=lambda row: row.batch_size)
        if row.variant in chosen
    ]
    if len({point["batch"] for point in data}) < 2:
        return None
    chart = lines(
        alt.X("batch:Q", scale=alt.Scale(type="log", base=2), title="inputs a batch"),
        alt.Y("per_second:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"), title="inputs/s"),
        sorted(chosen),
        tips("variant", "batch", per_second=",.1f", latency_ms_p99=".3f"),
    )
    return Chart(
        "batch",
        "Throughput by batch",
        "Where lines cross, the better choice changes.",
        data,
        spec(chart, 300),
        summary="; ".join(
            f"{point['variant']}: {brief(point['per_second'])} inputs/s in batches of {point['batch']}"
            for point in sorted(data, key=lambda point: -point["per_second"])[:MAX_LABELS]
        ),
    )


CHARTS_IN_ORDER: tuple[Callable[[BenchmarkResult, Sequence[ResultRow]], Chart], ...] = (
    *(_forest, score_by_latency),
    *(_calls, _latency, _cold),
)


def _same(row: ResultRow) -> tuple[object, ...]:
    """Return the key that identifies a row within its benchmark."""
    return row.variant, row.scenario, row.batch_size, row.callers


def _names(field: str, rows: Sequence[ResultRow]) -> alt.Y:
    """Return an axis with one line for each name, in the order of `rows`."""
    return names(field, [row.variant for row in rows])


def _points(base: Any, rows: Sequence[ResultRow]) -> Any:
    """Return one point for each variant. Colour and shape show its verdict; its tooltip is that of `base`."""
    verdicts = _verdicts(rows)
    shapes = alt.Scale(domain=verdicts, range=[VERDICT_MARKS[verdict][1] for verdict in verdicts])
    # A finger hits the transparent stroke, too.
    return base.mark_point(filled=True, size=70, opacity=1, stroke="transparent", strokeWidth=14).encode(
        color=_colours(rows),
        shape=alt.Shape("verdict:N", scale=shapes, legend=VERDICT_LEGEND, title=None),
    )


def _star(base: Any) -> Any:
    """Return a star behind the point of the recommended variant."""
    mark = {"shape": STAR_PATH, "size": 420, "filled": True, "color": STAR_COLOUR}
    return base.transform_filter("datum.recommended").mark_point(**mark)


def _beyond(base: Any) -> Any:
    """Return the marks of the variants that may exceed a limit, to the right of their places."""
    mark = {"text": BEYOND_LIMITS, "dx": 12, "fontSize": 14, "fontWeight": "bold"}
    return base.transform_filter("datum.beyond_limits").mark_text(**mark)


def _marks(row: ResultRow) -> Point:
    """Return whether a row is to be deployed, and whether it may exceed a limit."""
    return {"recommended": bool(row.recommended), "beyond_limits": bool(row.beyond_limits)}


def _has_beyond(data: Sequence[Point]) -> bool:
    return any(point["beyond_limits"] for point in data)


def _about_marks(data: Sequence[Point]) -> str:
    star = " The star is the variant to deploy." if any(point["recommended"] for point in data) else ""
    beyond = f" {BEYOND_LIMITS} may exceed a limit." if _has_beyond(data) else ""
    return star + beyond


def _colours(rows: Sequence[ResultRow]) -> alt.Color:
    verdicts = _verdicts(rows)
    return series("verdict", verdicts, [VERDICT_MARKS[verdict][0] for verdict in verdicts], VERDICT_LEGEND)


def _verdicts(rows: Sequence[ResultRow]) -> list[str]:
    """Return the verdicts that occur in the rows, in the order of `VERDICT_MARKS`."""
    return [verdict for verdict in VERDICT_MARKS if any(row.verdict == verdict for row in rows)]
