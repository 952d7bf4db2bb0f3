"""The charts of a study on the report's page: each has its data and a Vega-Lite drawing made by Altair."""

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import numpy as np

from breakeven.report.vega import (
    COLOUR_RANGE,
    GREY,
    LINE_HEIGHT,
    MAX_LINES,
    VERDICT_LEGEND,
    Chart,
    Point,
    lines,
    series,
    spec,
    tips,
)
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow

# Each verdict has a shape besides its colour.
VERDICT_MARKS = {
    "faster": ("#0F83C9", "circle"),
    "slower": ("#D55E00", "triangle-down"),
    "same": ("#009E73", "square"),
    "undecided": (GREY, "diamond"),
    "control": ("#C45A96", "cross"),
    "baseline": (GREY, "triangle-up"),
}
CALLS = np.geomspace(1, 1e7, 29).round().astype(int).tolist()  # along the axis of the break-even chart
STAR_PATH = "M0,-1L.24,-.32L.95,-.31L.38,.12L.59,.81L0,.4L-.59,.81L-.38,.12L-.95,-.31L-.24,-.32Z"
QUANTILES = {"p1": 1, "p25": 25, "p50": 50, "p75": 75, "p99": 99}


def charts_of(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> list[Chart]:
    """Return the charts of one family on one hardware in one scenario."""
    timed = sorted((row for row in rows if row.speedup), key=lambda row: -(row.speedup or 0))
    charts = (draw(benchmark, timed) for draw in CHARTS_IN_ORDER)
    return [chart for chart in charts if chart.data]


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
        }
        for row in rows
    ]
    floor = max((row.noise_floor or 1.0 for row in rows), default=1.0)
    scale = alt.Scale(type="log", base=2, nice=False, padding=12)
    axis = alt.Axis(format="~g", labelExpr="datum.label + 'x'", tickCount=6)
    base = alt.Chart(alt.NamedData("table")).encode(y=_names("variant", rows))
    once = alt.Chart(alt.InlineData([{}]))
    band = once.mark_rect(opacity=0.3, color=GREY).encode(
        x=alt.XDatum(1 / floor, scale=scale), x2=alt.X2Datum(floor)
    )
    one = once.mark_rule(color=GREY, strokeWidth=1).encode(x=alt.XDatum(1, scale=scale))
    whisker = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q", color=_colours(rows)
    )
    point = _points(base, rows, speedup=".3f", low=".3f", high=".3f").encode(
        x=alt.X("speedup:Q", scale=scale, axis=axis, title="speedup over eager fp32")
    )
    return Chart(
        "speedup",
        "Speedup, with its interval",
        f"Paired in the same rounds, corrected for the number of variants; grey: what the twin, whose true "
        f"speedup is 1, shows as noise (up to {floor - 1:.1%}).",
        data,
        spec(alt.layer(band, one, whisker, point), LINE_HEIGHT * len(data)),
    )


def _accuracy(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    """Return accuracy against latency, with the Pareto front of the two."""
    data: list[Point] = [
        {
            **{"variant": row.variant, "latency_ms": row.latency_ms_p50},
            **{"accuracy": 100 * row.accuracy, "front": False, "verdict": row.verdict},
            "change": None if row.accuracy_delta is None else 100 * row.accuracy_delta,
            **dict(zip(("low", "high"), _bounds(row), strict=True)),
            "recommended": bool(row.recommended),
        }
        for row in rows
        if row.accuracy is not None and row.verdict != "control"
    ]
    best = 0.0
    for point in sorted(data, key=lambda point: (point["latency_ms"], -point["accuracy"])):
        point["front"] = point["accuracy"] > best
        best = max(best, point["accuracy"])
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("latency_ms:Q", scale=alt.Scale(type="log", padding=12), title="p50, ms (logarithmic)"),
        y=alt.Y("accuracy:Q", scale=_accuracy_scale(data), title="accuracy, %"),
    )
    line = base.transform_filter("datum.front").mark_line(
        interpolate="step-after", color=GREY, strokeDash=[4, 3]
    )
    points = _points(base, rows, latency_ms=".4g", accuracy=".2f", change="+.2f")
    whisker = base.mark_rule(opacity=0.55).encode(
        y=alt.Y("low:Q", scale=_accuracy_scale(data)), y2="high:Q", color=_colours(rows)
    )
    pick = base.transform_filter("datum.recommended").mark_point(
        shape=STAR_PATH, size=260, filled=True, color=COLOUR_RANGE[2]
    )
    return Chart(
        "accuracy",
        "Accuracy against latency",
        f"Of {benchmark.test_images:,} test images; up and to the left is better. Whiskers: the interval of "
        "the change against the baseline. The dashed line joins what no other variant beats in both, by the "
        "estimates; the star is what is recommended.",
        data,
        spec(alt.layer(line, whisker, points, pick), 280),
    )


def _bounds(row: ResultRow) -> tuple[float | None, float | None]:
    """Return the interval of a variant's accuracy, in percent.

    It is the baseline's accuracy plus the interval of the change from it.
    """
    if row.verdict == "baseline" or row.accuracy is None or row.accuracy_delta is None:
        return None, None
    changes = (row.accuracy_delta_ci_low, row.accuracy_delta_ci_high)
    low, high = (
        None if c is None else min(max(100 * (row.accuracy - row.accuracy_delta + c), 0.0), 100.0)
        for c in changes
    )
    return low, high


def _accuracy_scale(data: Sequence[Point]) -> alt.Scale:
    """Return a scale that holds all accuracies and their intervals, and ends at 0% and at 100%."""
    ends = [point[key] for point in data for key in ("accuracy", "low", "high") if point[key] is not None]
    low, high = min(ends, default=0.0), max(ends, default=100.0)
    room = max(0.08 * (high - low), 0.2)
    return alt.Scale(zero=False, nice=False, domain=[max(low - room, 0.0), min(high + room, 100.0)])


def _cold(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    """Return the seconds of building and starting each variant."""
    data = [
        {"variant": row.variant, "part": part, "seconds": seconds}
        for row in rows
        if row.verdict != "control"
        for part, seconds in (("build", row.build_s), ("start, nothing cached", row.cold_start_s))
        if seconds is not None
    ]
    bars = alt.Chart(alt.NamedData("table")).mark_bar()
    chart = bars.encode(
        y=_names("variant", rows),
        x=alt.X("sum(seconds):Q", title="seconds"),
        color=series("part"),
        tooltip=tips("variant", "part", seconds=".3f"),
    )
    caption = (
        "Build: export, quantization and compilation, once. Start: load, and the calls until steady. "
        "The training of a compression is not shown here."
    )
    return Chart(
        "cold", "What it takes before it is fast", caption, data, spec(chart, LINE_HEIGHT * len(data) // 2)
    )


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
        alt.X("calls:Q", scale=scale, axis=alt.Axis(format="~s"), title="calls"),
        alt.Y("seconds:Q", scale=scale, axis=alt.Axis(format="~g"), title="seconds in all"),
        [row.variant for row in chosen],
        tips("variant", calls=",", seconds=".4g"),
    )
    left_out = len(faster) - len(chosen) + 1
    caption = (
        "Training of the compression, build, start and all calls: a variant is paid back where its line "
        "crosses the baseline's."
    )
    if left_out > 0 and chosen:
        caption += f" Not shown: {left_out} variants that are paid back later than these."
    return Chart("calls", "Break-even in calls", caption, data, spec(chart, 300))


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
    base = alt.Chart(alt.NamedData("table")).encode(
        y=_names("variant", rows),
        tooltip=tips("variant", calls=",", **dict.fromkeys(QUANTILES, ".4g")),
    )
    whole = base.mark_rule().encode(
        x=alt.X("p1:Q", scale=scale, title="ms a call (logarithmic)"),
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
    )


def _memory(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
    """Return size on disk against size in memory."""
    data = [
        {
            **{"variant": row.variant, "verdict": row.verdict},
            **{"artifact_mb": row.artifact_mb, "memory_mb": row.peak_memory_mb},
        }
        for row in rows
        if row.artifact_mb and row.peak_memory_mb and row.verdict != "control"
    ]
    chart = _points(alt.Chart(alt.NamedData("table")), rows, artifact_mb=".3f", memory_mb=".1f").encode(
        x=alt.X("artifact_mb:Q", scale=alt.Scale(type="log", padding=12), title="artifact, MB (logarithmic)"),
        y=alt.Y("memory_mb:Q", scale=alt.Scale(domainMin=0), title="peak memory above the imports, MB"),
    )
    caption = "Memory: the most that its process held, above what the imports took."
    return Chart("memory", "Size and memory", caption, data, spec(chart, 280))


def batches(rows: Sequence[ResultRow]) -> Chart | None:
    """Return throughput against batch size, of one family on one hardware; None with a single batch size."""
    single = [row for row in rows if row.callers == 1 and row.throughput_per_s]
    chosen = {row.variant for row in _foremost([row for row in single if row.batch_size == 1] or single)}
    data = [
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
        "batch", "Throughput by batch", "Where lines cross, the choice does.", data, spec(chart, 300)
    )


CHARTS_IN_ORDER: tuple[Callable[[BenchmarkResult, Sequence[ResultRow]], Chart], ...] = (
    *(_forest, _cold, _latency),
    *(_accuracy, _calls, _memory),
)


def _same(row: ResultRow) -> tuple[object, ...]:
    """Return the key that identifies a row within its benchmark."""
    return row.variant, row.scenario, row.batch_size, row.callers


def _names(field: str, rows: Sequence[ResultRow]) -> alt.Y:
    """Return an axis with one line for each name, in the order of `rows`."""
    return alt.Y(f"{field}:N", sort=[row.variant for row in rows], title=None)


def _points(base: Any, rows: Sequence[ResultRow], **formats: str) -> Any:
    """Return one point for each variant. Colour and shape show its verdict; hovering shows the figures."""
    verdicts = _verdicts(rows)
    shapes = alt.Scale(domain=verdicts, range=[VERDICT_MARKS[verdict][1] for verdict in verdicts])
    return base.mark_point(filled=True, size=70, opacity=0.9).encode(
        color=_colours(rows),
        shape=alt.Shape("verdict:N", scale=shapes, legend=VERDICT_LEGEND, title=None),
        tooltip=tips("variant", "verdict", **formats),
    )


def _colours(rows: Sequence[ResultRow]) -> alt.Color:
    verdicts = _verdicts(rows)
    return series("verdict", verdicts, [VERDICT_MARKS[verdict][0] for verdict in verdicts], VERDICT_LEGEND)


def _verdicts(rows: Sequence[ResultRow]) -> list[str]:
    """Return the verdicts that occur in the rows, in the order of `VERDICT_MARKS`."""
    return [verdict for verdict in VERDICT_MARKS if any(row.verdict == verdict for row in rows)]
