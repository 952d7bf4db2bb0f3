"""The charts of a sweep's Pareto fronts: speedup, score and size of each variant of a model."""

from collections.abc import Sequence

import altair as alt

from breakeven.core.format import brief
from breakeven.plugins.tasks.base import PERCENT
from breakeven.report import score_chart
from breakeven.report.size_charts import CHART_HEIGHT, slug
from breakeven.report.vega import COLOUR_RANGE, GREY, Chart, Point, series, shapes, spec, tips
from breakeven.results.result_row import ResultRow, title
from breakeven.results.score_text import metric_title
from breakeven.results.sweep_analysis import SweepAnalysis

ON_FRONT, OFF_FRONT = "on the front", "beaten in all three"


def fronts(swept: SweepAnalysis) -> dict[str, Chart]:
    """Return title -> chart, for single streams of each model with compressed variants on each hardware."""
    titles = {f"{rows[0].family}, {title(rows[0])}": rows for rows in swept.contenders}
    return {name: _chart(name, data, titles[name]) for name, data in points(swept).items()}


def points(swept: SweepAnalysis) -> dict[str, list[Point]]:
    """Return title -> the variants with speedup, score and size in single streams, the fastest first."""
    best = {id(row) for row in swept.fronts}
    return {
        f"{rows[0].family}, {title(rows[0])}": [
            {
                **{"variant": row.variant, "front": ON_FRONT if id(row) in best else OFF_FRONT},
                **{"speedup": row.speedup, "low": row.speedup_ci_low, "high": row.speedup_ci_high},
                **{"score": score_chart.factor([row]) * (row.score or 0.0), "mb": row.artifact_mb},
            }
            for row in rows
        ]
        for rows in swept.contenders
        if rows[0].batch_size == 1 and rows[0].callers == 1
        if len({row.compression for row in rows}) > 1  # else all are about equally accurate
    }


def _chart(name: str, data: list[Point], rows: Sequence[ResultRow]) -> Chart:
    metric, unit = metric_title(rows), rows[0].metric_unit
    lower = rows[0].metric_better == "lower"
    scale = alt.Scale(type="log", base=2, nice=False, padding=14)
    axis = alt.Axis(format="~g", labelExpr="datum.label + 'x'", tickCount=6)
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("speedup:Q", scale=scale, axis=axis, title="speedup over eager fp32"),
        y=alt.Y(
            "score:Q",
            scale=score_chart.score_scale(data, ["score"], percent=unit == PERCENT),
            title=f"{metric}, {unit}" if unit else metric,
        ),
        color=series("front", [ON_FRONT, OFF_FRONT], [COLOUR_RANGE[0], GREY]),
    )
    line = base.transform_filter(f"datum.front == '{ON_FRONT}'").mark_line(interpolate="step-before")
    mark = base.mark_point(filled=True, opacity=1).encode(
        size=alt.Size("mb:Q", title="MB", scale=alt.Scale(range=[30, 400]), legend=None),
        shape=shapes("front", [ON_FRONT, OFF_FRONT]),
        tooltip=tips("variant", "front", speedup=".3f", low=".3f", high=".3f", score=".4g", mb=".3f"),
    )
    return Chart(
        f"front-{slug(name)}",
        f"Gain, {metric} and size: {name}",
        f"{'Down' if lower else 'Up'} and to the right is better, and so is small: the area of a mark is the "
        "size of the artifact.",
        data,
        spec(alt.layer(line, mark), CHART_HEIGHT),
        summary="On the front: "
        + "; ".join(
            f"{point['variant']}: {brief(point['speedup'])}x, {point['score']:.4g}{unit}, "
            f"{brief(point['mb'])} MB"
            for point in data
            if point["front"] == ON_FRONT
        ),
    )
