"""The charts as SVG files, for pages that run no script: the same drawings as on the report's page.

Text stays text, and nothing is random, dated or fetched: the same results give the same file.
"""

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from breakeven.core.files import write_text
from breakeven.report import speedup_chart
from breakeven.report.vega import WIDTH_PARAMETER, Chart, Point
from breakeven.results.result_row import ResultRow, cell, title

PLOT_WIDTH = 560  # pixels of a chart's plot, without what stands beside it
CAPTION_CHARACTERS = 110  # in a line
NAMES_WIDTH = 260  # pixels of a list of variants' names
# vl-convert contains the first of these fonts, so it places texts equally on every machine. The other fonts
# are as wide, so no text is cut for readers who have only those.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
CHART_STYLE: dict[str, Any] = {
    "background": "white",
    "padding": 10,
    "font": FONT,
    "view": {"stroke": None},
    "title": {"anchor": "start", "frame": "group", "fontSize": 13, "subtitleFontSize": 11, "offset": 10},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelLimit": 320},
    "legend": {"labelFontSize": 11},
}
INK, LINES, PAPER = "#e6edf3", "#3d444d", "#0d1117"  # of a page with a dark theme
DARK_STYLE: dict[str, dict[str, str]] = {
    "title": {"color": INK, "subtitleColor": INK},
    "axis": {"labelColor": INK, "titleColor": INK}
    | dict.fromkeys(("gridColor", "domainColor", "tickColor"), LINES),
    "legend": {"labelColor": INK},
    "text": {"color": INK},  # figures beside marks
}


def write_speedups(path: Path, rows: Sequence[ResultRow], *, dark: bool = False) -> None:
    """Write the speedups of a study with their intervals, a panel for each cell.

    Args:
        dark: draw bright on dark, for pages with a dark theme.
    """
    panels = []
    for key, group in groupby(rows, key=cell):
        cell_rows = list(group)
        panels.append((f"{key[0]} on {title(cell_rows[0])}", speedup_chart.speedups(cell_rows)))
    write_panels(path, panels, "nothing could be measured: the table says why", dark=dark)


def write_panels(
    path: Path, charts: Iterable[tuple[str, Chart]], nothing: str, *, dark: bool = False
) -> None:
    """Write charts below each other, each under its heading.

    Args:
        nothing: the text to write if no chart has data.
        dark: draw bright on dark.
    """
    panels = [_panel(chart, heading) for heading, chart in charts if chart.data]
    if not panels:
        text = {"type": "text", "text": nothing, "fontSize": 13}
        panels = [{"mark": text, "data": {"values": [{}]}, "width": PLOT_WIDTH, "height": 40}]
    _write(path, {"vconcat": panels, "spacing": 30}, dark)


def write_chart(path: Path, chart: Chart) -> None:
    """Write one chart under its title and caption."""
    _write(path, {"hconcat": [_panel(chart, chart.title)]})


def write_front(path: Path, chart: Chart, on: str) -> None:
    """Write a Pareto front; the marks on it are numbered, and the list beside the chart names them.

    Args:
        on: what the column `front` holds of variants on the front.
    """
    best: list[Point] = [point for point in chart.data if point["front"] == on]
    numbered = [{**point, "number": number} for number, point in enumerate(best, 1)]
    panel = _panel(chart, chart.title)
    encoding: dict[str, Any] = {**_positions(panel), "text": {"field": "number", "type": "quantitative"}}
    # Alternately above and below: neighbours in speed would be written over each other.
    panel["layer"] += [
        {
            "data": {"values": numbered},
            "transform": [{"filter": f"datum.number % 2 == {odd}"}],
            "mark": {"type": "text", "dy": offset, "fontSize": 11},
            "encoding": encoding,
        }
        for odd, offset in ((1, -13), (0, 14))
    ]
    names: dict[str, Any] = {
        "data": {"values": [{**point, "name": "{number}: {variant}".format(**point)} for point in numbered]},
        "mark": {"type": "text", "align": "left", "fontSize": 11, "x": 0},
        "encoding": {
            "y": {"field": "number", "type": "ordinal", "axis": None},
            "text": {"field": "name", "type": "nominal"},
        },
        "width": NAMES_WIDTH,
        "height": {"step": 16},
    }
    _write(path, {"hconcat": [panel, names], "spacing": 25})


def _positions(panel: dict[str, Any]) -> dict[str, Any]:
    """Return where the first marks of a layered chart are drawn."""
    encoding = panel["layer"][0]["encoding"]
    return {axis: encoding[axis] for axis in ("x", "y")}


def _panel(chart: Chart, heading: str) -> dict[str, Any]:
    """Return a chart as part of a larger drawing, with its data inside."""
    caption = textwrap.wrap(chart.caption, CAPTION_CHARACTERS)
    spec = {key: value for key, value in chart.spec.items() if key not in ("$schema", "params", "datasets")}
    datasets = {**chart.spec.get("datasets", {}), "table": chart.data}
    return {
        **_with_data(spec, datasets),
        "width": PLOT_WIDTH,
        "title": {"text": heading, "subtitle": caption},
    }


def _with_data(spec: Any, datasets: dict[str, list[Point]]) -> Any:
    """Return a drawing with the named data sets replaced by their values."""
    if isinstance(spec, list):
        return [_with_data(part, datasets) for part in spec]
    if not isinstance(spec, dict):
        return spec
    return {
        key: {"values": datasets[value["name"]]}
        if key == "data" and "name" in value
        else _with_data(value, datasets)
        for key, value in spec.items()
    }


def _style(dark: bool) -> dict[str, Any]:
    if not dark:
        return CHART_STYLE
    return {
        **CHART_STYLE,
        **{name: {**CHART_STYLE.get(name, {}), **colours} for name, colours in DARK_STYLE.items()},
        "background": PAPER,
    }


def _write(path: Path, drawing: dict[str, Any], dark: bool = False) -> None:
    import vl_convert

    whole = {
        **drawing,
        "config": _style(dark),
        "params": [{"name": WIDTH_PARAMETER, "value": PLOT_WIDTH}],
        "resolve": {"scale": dict.fromkeys(("color", "shape", "size"), "independent")},
    }
    write_text(path, vl_convert.vegalite_to_svg(whole, allowed_base_urls=[]))
