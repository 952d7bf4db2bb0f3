"""What all charts of the page share: their form, and their colours, marks and tips in Vega-Lite's grammar."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

Point = dict[str, Any]
GREY = "#8A8A8A"
# Those of Okabe and Ito's colours that stand out on white and on black, and two that can be told from them by
# whoever sees few colours
RANGE = ["#0F83C9", "#D55E00", "#009E73", "#C45A96", "#896337", "#56B4E9", GREY, "#6F30F4"]
# For those who see no colours
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
SHAPES += ["triangle-right", "triangle-left"]
STEP = 22  # pixels a name
LINES = 8  # that can be told apart in one chart


ACROSS = "across"  # the width of a chart's place in pixels, which the page sets before it draws


def _legend(wide: int) -> alt.Legend:
    """Above the chart, a column for so many pixels of its place."""
    columns = alt.ExprRef(f"max(1, floor({ACROSS} / {wide}))")
    return alt.Legend(orient="top", labelLimit=260, symbolOpacity=1, columns=columns)


LEGEND, NAMES = _legend(130), _legend(230)  # of verdicts, of variants
BESIDE = _legend(350)  # of variants, above a chart with names beside it


@dataclass(frozen=True)
class Chart:
    """One chart: its data is a flat table, which is also written as CSV."""

    name: str
    title: str
    caption: str
    data: list[Point]
    spec: dict[str, Any]  # of Vega-Lite, without the data


def series(
    field: str,
    names: Sequence[str] | None = None,
    colours: Sequence[str] = tuple(RANGE),
    legend: alt.Legend = NAMES,
) -> alt.Color:
    """A colour for each name; charts that are given the same `names` agree in them."""
    scale = alt.Scale(range=list(colours)) if names is None else alt.Scale(domain=names, range=list(colours))
    return alt.Color(f"{field}:N", scale=scale, legend=legend, title=None)


def shapes(field: str, names: Sequence[str], legend: alt.Legend = NAMES) -> alt.Shape:
    """And a shape."""
    scale = alt.Scale(domain=names, range=SHAPES)
    return alt.Shape(f"{field}:N", scale=scale, legend=legend, title=None)


def lines(x: alt.X, y: alt.Y, names: Sequence[str], tip: list[alt.Tooltip]) -> Any:
    """A line for each of a table's variants, with a mark at each point, which alone tells its figures."""
    base = alt.Chart(alt.NamedData("table")).encode(x=x, y=y, color=series("variant", names))
    marks = base.mark_point(filled=True, size=32, opacity=1)
    return alt.layer(base.mark_line(), marks.encode(shape=shapes("variant", names), tooltip=tip))


def decades(values: Iterable[float]) -> alt.Axis:
    """Powers of ten alone, and few of them: the axis of figures that span many."""
    found = [math.log10(value) for value in values if value > 0]
    powers = range(math.ceil(min(found)), math.floor(max(found)) + 1)
    if len(powers) < 2:
        return alt.Axis(format="~s")
    return alt.Axis(format="~s", values=[10.0**power for power in powers[:: math.ceil(len(powers) / 6)]])


def tips(*names: str, **formats: str) -> list[alt.Tooltip]:
    """What hovering shows: names, then figures in these formats."""
    return [
        *(alt.Tooltip(f"{name}:N", title=name) for name in names),
        *(
            alt.Tooltip(f"{name}:Q", title=name.replace("_", " "), format=form)
            for name, form in formats.items()
        ),
    ]


def spec(chart: Any, height: int) -> dict[str, Any]:
    """As wide as its place, and so many pixels high."""
    found: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    found.pop("config", None)  # Altair's own; the page has its own for each theme
    found["params"] = [{"name": ACROSS, "value": 540}]
    return found
