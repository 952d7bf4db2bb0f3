"""The report's section on a sweep, with its charts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import altair as alt

from breakeven.report import latency_charts, pareto_charts, size_charts
from breakeven.report.size_charts import slug
from breakeven.report.vega import (
    COLOUR_RANGE,
    GREY,
    LINE_HEIGHT,
    WIDE_VARIANT_LEGEND,
    Chart,
    Point,
    series,
    shapes,
    spec,
    tips,
)
from breakeven.results import sweep_answer, sweep_results
from breakeven.results.interaction import (
    LESS_THAN_PRODUCT,
    MORE_THAN_PRODUCT,
    SAME_AS_PRODUCT,
    best,
    changing,
)
from breakeven.results.limits import Limits
from breakeven.results.size_trend import PARAMETERS
from breakeven.results.sweep_analysis import SweepAnalysis, by_family, collect

UNNAMED = "sweep"  # the study of a sweep whose command names none


@dataclass(frozen=True)
class SweepSection:
    """A section of the page: one sweep."""

    name: str  # in links and in names of files
    title: str
    swept: SweepAnalysis
    charts: list[Chart]

    @property
    def sentences(self) -> list[str]:
        """Return what the sweep shows, in a few sentences."""
        return sweep_answer.sentences(self.swept)


def sections(limits: Limits) -> list[SweepSection]:
    """Return a section for each study: its newest sweep with results here, or else its newest sweep."""
    return [section(collect(sweep, limits)) for sweep in sweep_results.newest()]


def section(swept: SweepAnalysis) -> SweepSection:
    """Return the section of one sweep."""
    study = swept.sweep.study
    title = "the newest sweep" if study == UNNAMED else f"the sweep {study}"
    return SweepSection(f"sweep-{study}", title, swept, charts_of(swept))


def charts_of(swept: SweepAnalysis) -> list[Chart]:
    """Return the charts that the sweep's results are sufficient for."""
    charts = [
        *(
            chart
            for name in swept.hardware
            for chart in (
                size_charts.speedups(swept, name),
                size_charts.speedups(swept, name, PARAMETERS),
                size_charts.calls(swept, name),
            )
        ),
        *(_fastest(swept), *_batches(swept), combinations(swept), *pareto_charts.fronts(swept).values()),
    ]
    return [chart for chart in charts if chart]


def _batches(swept: SweepAnalysis) -> Iterator[Chart]:
    """Yield throughput against batch size, for each model and hardware with several batch sizes."""
    for family, rows in by_family(swept.judged):
        for hardware in swept.hardware:
            if chart := latency_charts.batches([row for row in rows if row.hardware == hardware]):
                name, what = f"batch-{slug(family)}-{slug(hardware)}", f"{family} on {hardware}"
                yield replace(chart, name=name, title=f"{chart.title}: {what}")


def _fastest(swept: SweepAnalysis) -> Chart | None:
    """Return the fastest variant of each model by threads and batch; nothing with a single place."""
    fastest = best(swept.judged)
    places = sorted({(hardware, batch) for _, hardware, batch in fastest})
    if len(places) < 2:
        return None
    models = [family for family, _ in by_family(swept.judged)]
    data: list[Point] = [
        {
            **{"model": model, "place": _place_label(hardware, batch), "variant": row.variant},
            **{"speedup": row.speedup, "low": row.speedup_ci_low, "high": row.speedup_ci_high},
            "latency_ms": row.latency_ms_p50,
        }
        for model in models
        for hardware, batch in places
        if (row := fastest.get((model, hardware, batch)))
    ]
    winners = sorted({point["variant"] for point in data})
    surely = len(changing(swept.judged, fastest))
    axis = alt.Axis(labelExpr="split(datum.label, ', ')", labelAngle=0, grid=True)
    point = alt.Chart(alt.NamedData("table")).mark_point(filled=True, size=110, opacity=1)
    chart = point.encode(
        x=alt.X("place:N", sort=[_place_label(*place) for place in places], axis=axis, title=None),
        y=alt.Y("model:N", sort=models, title=None),
        color=series("variant", winners, legend=WIDE_VARIANT_LEGEND),
        shape=shapes("variant", winners, WIDE_VARIANT_LEGEND),
        tooltip=tips("model", "place", "variant", speedup=".3f", low=".3f", high=".3f", latency_ms=".4g"),
    )
    return Chart(
        "fastest",
        "The fastest variant, by threads and batch",
        f"By the estimates; models from small to large. For {surely} of {len(models)} it surely changes.",
        data,
        spec(chart, LINE_HEIGHT * len(models)),
        summary="; ".join(f"{point['model']}, {point['place']}: {point['variant']}" for point in data),
    )


def _place_label(hardware: str, batch: int) -> str:
    return f"{hardware}, batch {batch}"


def combinations(swept: SweepAnalysis) -> Chart | None:
    """Return the speedups of combinations against the products of their parts; None without combinations."""
    data: list[Point] = [
        {
            **{"model": each.row.family, "variant": each.row.variant, "hardware": each.row.hardware},
            **{"batch": each.row.batch_size, "verdict": each.verdict, "speedup": each.row.speedup},
            **{"low": each.row.speedup_ci_low, "high": each.row.speedup_ci_high, "product": each.product},
            **{"ratio": each.ratio.value, "ratio_low": each.ratio.low, "ratio_high": each.ratio.high},
        }
        for each in swept.interactions
    ]
    if not data:
        return None
    verdicts = [MORE_THAN_PRODUCT, LESS_THAN_PRODUCT, SAME_AS_PRODUCT]
    scale = alt.Scale(type="log", base=2, nice=False, padding=12)
    axis = alt.Axis(format="~g", labelExpr="datum.label + 'x'", tickCount=6)
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("product:Q", scale=scale, axis=axis, title="product of the gains of the parts"),
        color=series("verdict", verdicts, [*COLOUR_RANGE[:2], GREY]),
    )
    ends = [end(point["product"] for point in data) for end in (min, max)]
    line = alt.Chart(alt.InlineData([{"at": at} for at in ends])).mark_line(color=GREY, strokeDash=[4, 3])
    equal = line.encode(x=alt.X("at:Q", scale=scale), y=alt.Y("at:Q", scale=scale))
    whisker = base.mark_rule(strokeWidth=1.5)
    for end in ("low", "high"):
        whisker = whisker.transform_calculate(**{end: f"datum.product * datum.ratio_{end}"})
    whisker = whisker.encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    formats = dict.fromkeys(("speedup", "low", "high", "product", "ratio", "ratio_low", "ratio_high"), ".3f")
    point = base.mark_point(filled=True, size=55, opacity=1).encode(
        y=alt.Y("speedup:Q", scale=scale, axis=axis, title="speedup of the combination"),
        shape=shapes("verdict", verdicts),
        tooltip=tips("model", "variant", "hardware", "batch", "verdict", **formats),
    )
    return Chart(
        "combinations",
        "Combinations: are they the product of their parts?",
        "Compression in eager fp32 times runtime and precision on the uncompressed model. The interval is "
        "that of speedup over product: where it crosses the dashed line, the two cannot be told apart.",
        data,
        spec(alt.layer(equal, whisker, point), size_charts.CHART_HEIGHT),
        summary=", ".join(
            f"{sum(point['verdict'] == verdict for point in data)} {verdict}" for verdict in verdicts
        ),
    )
