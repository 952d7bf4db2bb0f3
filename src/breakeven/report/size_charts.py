"""A sweep's charts over the size of the model: speedups, and break-even calls."""

import re
from collections import Counter
from typing import Any

import altair as alt
import numpy as np

from breakeven.core.format import brief
from breakeven.report.vega import GREY, MAX_LINES, Chart, Point, decades, series, shapes, spec, tips
from breakeven.results.result_row import ResultRow
from breakeven.results.size_trend import MACS, MIN_MODELS, Size
from breakeven.results.sweep_analysis import SweepAnalysis, noise_floor

CHART_HEIGHT = 340  # pixels
ZERO = " 0 calls are drawn as 1."


def speedups(swept: SweepAnalysis, hardware: str, size: Size = MACS) -> Chart | None:
    """Return speedup against size, with intervals and fitted lines; None if all models have one size."""
    variants = shown(swept)
    rows = [row for row in _rows(swept, hardware) if row.speedup_ci_low and row.speedup_ci_high]
    if len({size.of(row) for row in rows}) < 2:
        return None
    trends = {trend.variant: trend for trend in swept.trends_over[size] if trend.hardware == hardware}
    data: list[Point] = [
        {
            **_names(row),
            **{"speedup": row.speedup, "low": row.speedup_ci_low, "high": row.speedup_ci_high},
            "fit": trends[row.variant].fitted(size.of(row)) if row.variant in trends else None,
        }
        for row in rows
    ]
    fits = any(point["fit"] for point in data)
    floor = noise_floor(rows)
    scale = alt.Scale(type="log", base=2, nice=False, padding=12)
    axis = alt.Axis(format="~g", labelExpr="datum.label + 'x'", tickCount=6)
    base = alt.Chart(alt.NamedData("table")).encode(x=_size(data, size), color=series("variant", variants))
    once = alt.Chart(alt.InlineData([{}]))
    band = once.mark_rect(opacity=0.18, color=GREY).encode(
        y=alt.YDatum(1 / floor, scale=scale), y2=alt.Y2Datum(floor)
    )
    one = once.mark_rule(color=GREY, strokeWidth=2).encode(y=alt.YDatum(1, scale=scale))
    whisker = base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    line = base.transform_filter("datum.fit").mark_line(strokeDash=[5, 3]).encode(y="fit:Q")
    point = _points(base, variants, speedup=".3f", low=".3f", high=".3f", fit=".3f").encode(
        y=alt.Y("speedup:Q", scale=scale, axis=axis, title="speedup over eager fp32")
    )
    pays = "; ".join(f"{variant} {trends[variant].pays}" for variant in variants if variant in trends)
    fitted = (
        f"By one fit over all models, of whatever family (dashed), faster than eager: {pays}."
        if pays
        else f"No fit below {MIN_MODELS} models."
    )
    return Chart(
        f"{size.column}-{slug(hardware)}",
        f"Speedup against the {size.unit} of the model, {hardware}",
        f"{_what(swept)} with intervals; grey: 1x, and the noise that the twins (copies of eager) show "
        f"(median {floor - 1:.1%}). {fitted}",
        data,
        spec(
            alt.layer(band, one, *([line] if fits else []), whisker, point),
            CHART_HEIGHT,
        ),
        summary=_ranges(data, "speedup", "x"),
    )


def calls(swept: SweepAnalysis, hardware: str) -> Chart | None:
    """Return break-even calls against work, with bounds.

    Return None if no variant pays, or if all models have one size.
    """
    variants = shown(swept)
    rows = [row for row in _rows(swept, hardware) if row.breakeven_calls]
    data = [
        {
            **_names(row),
            "calls": count,
            **{"low": _count(row.breakeven_calls_low), "high": _count(row.breakeven_calls_high)},
        }
        for row in rows
        if (count := _count(row.breakeven_calls)) is not None
    ]
    if len({point["macs"] for point in data}) < 2:
        return None
    scale = alt.Scale(type="log", nice=False, padding=12)
    bounded = any(point["high"] is not None for point in data)
    ends = (point[end] for point in data for end in ("calls", "low", "high"))
    axis = decades(max(end, 1) for end in ends if end is not None)
    base = alt.Chart(alt.NamedData("table")).encode(x=_size(data, MACS), color=series("variant", variants))
    # A logarithmic axis has no zero.
    for name in ("calls", "low", "high"):
        base = base.transform_calculate(**{f"drawn_{name}": f"max(datum.{name}, 1)"})
    whisker = base.transform_filter("isValid(datum.high)").mark_rule(strokeWidth=1.5)
    whisker = whisker.encode(y=alt.Y("drawn_low:Q", scale=scale), y2="drawn_high:Q")
    point = _points(base, variants, calls=",", low=",", high=",").encode(
        y=alt.Y("drawn_calls:Q", scale=scale, axis=axis, title="calls until it is paid back")
    )
    word_counts = Counter(row.breakeven_calls for row in rows if _count(row.breakeven_calls) is None)
    without = "; ".join(f"{count} {word}" for word, count in sorted(word_counts.items()))
    return Chart(
        f"calls-{slug(hardware)}",
        f"Break-even calls against the MACs of the model, {hardware}",
        f"{_what(swept)} with bounds: calls after which training, build and start are paid "
        f"back.{ZERO if any(point['calls'] == 0 for point in data) else ''}"
        f"{f' Not drawn: {without}.' if without else ''}",
        data,
        spec(alt.layer(*([whisker] if bounded else []), point), CHART_HEIGHT),
        summary=_ranges(data, "calls", " calls"),
    )


def shown(swept: SweepAnalysis) -> list[str]:
    """Return the variants to draw on every hardware: at most `LINES`, with the highest median speedups."""
    gains: dict[str, list[float]] = {}
    for row in swept.plain:
        if row.speedup:
            gains.setdefault(row.variant, []).append(row.speedup)
    return sorted(sorted(gains, key=lambda variant: -np.median(gains[variant]))[:MAX_LINES])


def _what(swept: SweepAnalysis) -> str:
    few = len({row.variant for row in swept.plain if row.speedup}) > MAX_LINES
    return f"Uncompressed models, batch 1{f', the {MAX_LINES} variants of most gain' if few else ''},"


def _ranges(data: list[Point], field: str, unit: str) -> str:
    """Return in words between which figures each variant lies."""
    figures: dict[str, list[float]] = {}
    for point in data:
        figures.setdefault(point["variant"], []).append(point[field])
    return "; ".join(
        f"{variant}: {brief(min(values))} to {brief(max(values))}{unit}"
        for variant, values in figures.items()
    )


def _rows(swept: SweepAnalysis, hardware: str) -> list[ResultRow]:
    variants = shown(swept)
    variant_rows = [row for row in swept.plain if row.hardware == hardware and row.variant in variants]
    return sorted(variant_rows, key=lambda row: (row.variant, row.macs))


def _names(row: ResultRow) -> Point:
    names = {"model": row.family, "variant": row.variant, "verdict": row.verdict, "machine": row.machine}
    return {**names, "macs": row.macs, "params": row.params}


def _count(text: str | None) -> int | None:
    """Return a figure of break-even calls as a number; None if it is a word."""
    return int(text) if text and text.isdigit() else None


def slug(hardware: str) -> str:
    """Return a hardware's name in a form that is safe in the name of a file."""
    return re.sub(r"\W+", "-", hardware).strip("-")


def _size(data: list[Point], size: Size) -> alt.X:
    scale, axis = alt.Scale(type="log", nice=False, padding=12), decades(point[size.column] for point in data)
    return alt.X(f"{size.column}:Q", scale=scale, axis=axis, title=size.title)


def _points(base: Any, variants: list[str], **formats: str) -> Any:
    return base.mark_point(filled=True, size=55, opacity=1).encode(
        shape=shapes("variant", variants),
        tooltip=tips("model", "variant", "verdict", "machine", macs=",", params=",", **formats),
    )
