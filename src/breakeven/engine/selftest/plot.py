"""The picture of the self-test, which shows what each part of the protocol contributes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from breakeven.core.files import write_text
from breakeven.engine.selftest.ablation import METHODS
from breakeven.engine.selftest.check import Check

DIFFERENT, ERROR, LARGEST = (
    "ablation: called different at 5%, A/A",
    "ablation: error of the ratio",
    "ablation: largest error of the ratio",
)
# Okabe and Ito's colours, which colour-blind readers can tell apart; shapes help readers who see no colours.
METHOD_COLOURS = ("#D55E00", "#E69F00", "#56B4E9", "#0072B2")
METHOD_SHAPES = ("square", "triangle-up", "diamond", "circle")
# vl-convert includes the first font; the others have the same widths.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
LINE_HEIGHT = 16  # pixels for each method


def draw(path: Path, rows: Sequence[Check]) -> None:
    """Write an SVG: on the left how often a method calls copies different, on the right its error."""
    import vl_convert

    write_text(path, vl_convert.vegalite_to_svg(_drawing(rows), allowed_base_urls=[]))


def _drawing(rows: Sequence[Check]) -> dict[str, Any]:
    """Return the picture as a Vega-Lite specification."""
    points = [_point(row) for row in rows if row.check in (DIFFERENT, ERROR, LARGEST)]
    at_five_percent = {"data": {"values": [{}]}, "mark": {"type": "rule"}, "encoding": {"x": {"datum": 0.05}}}
    left = {
        "title": "share of copies called different at 5%",
        "scale": {"domain": [0, 1], "padding": 8},
        "axis": {"format": "~g", "tickCount": 6},
    }
    right = {
        "title": "error of the speedup (cross: largest)",
        "scale": {"type": "log", "nice": False, "padding": 8},
        "axis": {"format": "~%", "values": [0.001, 0.01, 0.1, 1]},
    }
    return {
        "data": {"values": points},
        "hconcat": [
            {
                "layer": [at_five_percent, *_intervals(DIFFERENT, left, True)],
                "width": 300,
                "height": {"step": LINE_HEIGHT, "for": "offset"},
            },
            {
                "layer": [*_intervals(ERROR, right, False), _crosses(right)],
                "width": 300,
                "height": {"step": LINE_HEIGHT, "for": "offset"},
            },
        ],
        "config": {
            **{"background": "white", "padding": 10, "font": FONT, "view": {"stroke": None}},
            "axis": {
                "labelFontSize": 11,
                "titleFontSize": 11,
                "titleFontWeight": "normal",
                "labelLimit": 320,
            },
            "legend": {"labelFontSize": 11, "labelLimit": 320, "orient": "top", "columns": 4, "title": None},
        },
    }


def _intervals(check: str, x: dict[str, Any], named: bool) -> list[dict[str, Any]]:
    """Return the marks of one check: a line for each interval, and a point for each value.

    Args:
        x: the scale and the axis of the values.
        named: whether the axis shows the names of the conditions.
    """
    chosen = [{"filter": {"field": "check", "equal": check}}]
    interval = {
        "transform": [*chosen, {"filter": "isValid(datum.low) && isValid(datum.high)"}],
        "mark": {"type": "rule", "strokeWidth": 2},
        "encoding": {**_position(named), "x": {"field": "low", **_figure(x)}, "x2": {"field": "high"}},
    }
    shape = {"scale": {"domain": list(METHODS), "range": METHOD_SHAPES}, "field": "method", "type": "nominal"}
    value = {
        "transform": chosen,
        "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
        "encoding": {**_position(named), "x": {"field": "value", **_figure(x)}, "shape": shape},
    }
    return [interval, value]


def _crosses(x: dict[str, Any]) -> dict[str, Any]:
    """Return the marks of the largest errors, which are crosses."""
    text = {"type": "text", "text": "\u00d7", "fontSize": 14}
    return {
        "transform": [{"filter": {"field": "check", "equal": LARGEST}}],
        "mark": text,
        "encoding": {**_position(False), "x": {"field": "value", **_figure(x)}},
    }


def _figure(x: dict[str, Any]) -> dict[str, Any]:
    return {"type": "quantitative", **x}


def _position(named: bool) -> dict[str, Any]:
    """Return the vertical position of a condition and method, and the colour of the method.

    Args:
        named: whether the axis shows the names of the conditions.
    """
    axis = {"grid": True, "labels": named, "ticks": named}
    return {
        "y": {"field": "condition", "type": "nominal", "title": None, "axis": axis},
        "yOffset": {"field": "method", "type": "nominal", "sort": list(METHODS)},
        "color": {
            "field": "method",
            "type": "nominal",
            "scale": {"domain": list(METHODS), "range": METHOD_COLOURS},
        },
    }


def _point(row: Check) -> dict[str, Any]:
    """Return a row as a data point of the picture."""
    condition, _, rest = row.condition.partition(": ")
    (method,) = (name for name in METHODS if rest.startswith(name))
    figures = {"value": row.value, "low": row.low, "high": row.high}
    return {
        "check": row.check,
        "condition": condition.replace(" in onnxruntime", ""),
        "method": method,
        **figures,
    }
