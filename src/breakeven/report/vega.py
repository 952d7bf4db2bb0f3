"""The parts that all charts share: their data class, and colours, marks, axes and tooltips for Vega-Lite."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

Point = dict[str, Any]
GREY = "#8A8A8A"
# Colours near those of Okabe and Ito, each with a contrast of 3:1 or more to the light and to the dark page
COLOUR_RANGE = ["#0F83C9", "#D55E00", "#009E73", "#C45A96", "#896337", "#00A0B0", GREY, "#7C4DF5"]
# Shapes repeat the meaning of the colours for readers who see none.
POINT_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
POINT_SHAPES += ["triangle-right", "triangle-left"]
LINE_HEIGHT = 26  # pixels of a name beside a chart, which takes two lines on a narrow screen
MAX_LINES = 8  # at most in one chart: readers cannot tell more apart


WIDTH_PARAMETER = "across"  # Vega parameter: pixels of width available; the page sets it before it draws


NARROW = 520  # pixels: a chart that is narrower has little room for names


def _legend(wide: int) -> alt.Legend:
    """Return a legend above the chart, with one column for each `wide` pixels of available width."""
    columns = alt.ExprRef(f"max(1, floor({WIDTH_PARAMETER} / {wide}))")
    return alt.Legend(orient="top", labelLimit=260, symbolOpacity=1, labelFontSize=12, columns=columns)


VERDICT_LEGEND, VARIANT_LEGEND = _legend(190), _legend(230)  # of verdicts, of variants
WIDE_VARIANT_LEGEND = _legend(350)  # of variants, above a chart with names beside it


@dataclass(frozen=True)
class Chart:
    """A chart: a drawing, and its data as a flat table, which is also written as CSV."""

    name: str
    title: str
    caption: str
    data: list[Point]
    spec: dict[str, Any]  # of Vega-Lite, without the data
    summary: str = ""  # what the data say, for readers who do not see the drawing

    @property
    def description(self) -> str:
        """Return the title and what the data say, or else the caption."""
        return f"{self.title}. {self.summary or self.caption}"


def series(
    field: str,
    names: Sequence[str] | None = None,
    colours: Sequence[str] = tuple(COLOUR_RANGE),
    legend: alt.Legend = VARIANT_LEGEND,
) -> alt.Color:
    """Return a colour for each name. Charts with equal `names` use equal colours."""
    scale = alt.Scale(range=list(colours)) if names is None else alt.Scale(domain=names, range=list(colours))
    return alt.Color(f"{field}:N", scale=scale, legend=legend, title=None)


def shapes(field: str, names: Sequence[str], legend: alt.Legend = VARIANT_LEGEND) -> alt.Shape:
    """Return a shape for each name."""
    scale = alt.Scale(domain=names, range=POINT_SHAPES)
    return alt.Shape(f"{field}:N", scale=scale, legend=legend, title=None)


def lines(x: alt.X, y: alt.Y, names: Sequence[str], tip: list[alt.Tooltip]) -> Any:
    """Return a line for each variant of the table. Each point has a mark that shows figures when hovered."""
    base = alt.Chart(alt.NamedData("table")).encode(x=x, y=y, color=series("variant", names))
    marks = base.mark_point(filled=True, size=32, opacity=1)
    return alt.layer(base.mark_line(), marks.encode(shape=shapes("variant", names), tooltip=tip))


def decades(values: Iterable[float], form: str = "~s") -> alt.Axis:
    """Return a logarithmic axis that labels at most six powers of ten, or 1, 2 and 5 within one or two."""
    exponents = [math.log10(value) for value in values if value > 0]
    if not exponents:
        return alt.Axis(format=form)
    first, last = math.ceil(min(exponents)), math.floor(max(exponents))
    if last - first < 2:
        steps = (step * 10.0**power for power in range(first - 1, last + 1) for step in (1, 2, 5))
        return alt.Axis(format=form, values=[float(f"{step:.1g}") for step in steps])
    powers = range(first, last + 1)
    return alt.Axis(format=form, values=[10.0**power for power in powers[:: math.ceil(len(powers) / 6)]])


def names(field: str, sort: Sequence[str]) -> alt.Y:
    """Return an axis with one line for each variant; on a narrow screen its runtime stands below the rest."""
    narrow = "[replace(datum.label, /\\/[^\\/]*$/, ''), replace(datum.label, /.*\\//, '')]"
    label = f"{WIDTH_PARAMETER} < {NARROW} && indexof(datum.label, '/') > 0 ? {narrow} : datum.label"
    return alt.Y(f"{field}:N", sort=list(sort), title=None, axis=alt.Axis(labelExpr=label))


def with_interval(base: Any) -> Any:
    """Return a chart whose tooltips can show the field `interval`: from `low` to `high`."""
    text = "isValid(datum.low) ? format(datum.low, '.3~f') + ' to ' + format(datum.high, '.3~f') : ''"
    return base.transform_calculate(interval=text)


# What tooltips call the fields of the data
TITLES = {
    "speedup": "speedup, times",
    "interval": "its interval",
    "latency_ms": "p50, ms",
    "latency_ms_p99": "p99, ms",
    "accuracy": "accuracy, %",
    "val_score": "on validation",
    "train_score": "on training data",
    "val_loss": "validation loss",
    "train_loss": "training loss",
    "artifact_mb": "artifact, MB",
    "mb": "artifact, MB",
    "per_second": "inputs/s",
    "macs": "MACs",
    "params": "parameters",
    "low": "from",
    "high": "to",
    "fit": "by the fit, times",
    **{f"p{percentile}": f"p{percentile}, ms" for percentile in (1, 25, 50, 75, 99)},
}


def tips(*texts: str, **formats: str) -> list[alt.Tooltip]:
    """Return the tooltips: first texts, then figures in these formats."""
    return [
        *(alt.Tooltip(f"{name}:N", title=_title(name)) for name in texts),
        *(alt.Tooltip(f"{name}:Q", title=_title(name), format=form) for name, form in formats.items()),
    ]


def _title(field: str) -> str:
    return TITLES.get(field, field.replace("_", " "))


def spec(chart: Any, height: int) -> dict[str, Any]:
    """Return the chart's specification, as wide as its container and `height` pixels high."""
    specification: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    specification.pop("config", None)  # Altair's theme: the page has its own themes
    specification["params"] = [{"name": WIDTH_PARAMETER, "value": 540}]
    return specification
