"""The charts of single calls, and of throughput by batch size."""

from collections.abc import Sequence

import altair as alt
import numpy as np

from breakeven.core.format import brief
from breakeven.report.vega import (
    COLOUR_RANGE,
    LINE_HEIGHT,
    MAX_LINES,
    Chart,
    Point,
    decades,
    lines,
    spec,
    tips,
)
from breakeven.report.verdict_marks import variant_axis
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow

QUANTILES = {"p1": 1, "p25": 25, "p50": 50, "p75": 75, "p99": 99}
TOLD = 5  # variants, in the words for readers who do not see the drawing


def single_calls(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Chart:
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
        y=variant_axis("variant", rows),
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
        summary="; ".join(f"{point['variant']}: p50 {brief(point['p50'])} ms" for point in data[:TOLD]),
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
            for point in sorted(data, key=lambda point: -point["per_second"])[:TOLD]
        ),
    )


def _foremost(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the baseline and the most interesting faster variants, at most `MAX_LINES` rows.

    Recommended variants come first, then variants on the Pareto front, then the fastest.
    """
    chosen = [row for row in rows if row.verdict == "baseline"]
    faster = [row for row in rows if row.verdict == "faster"]
    faster.sort(key=lambda row: (not row.recommended, not row.pareto, -(row.speedup or 0)))
    return chosen + faster[: MAX_LINES - len(chosen)]


def _same(row: ResultRow) -> tuple[object, ...]:
    """Return the key that identifies a row within its benchmark."""
    return row.variant, row.scenario, row.batch_size, row.callers
