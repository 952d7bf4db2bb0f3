"""The picture of what graph breaks add: a line through the times of each model."""

from collections.abc import Sequence

import altair as alt

from breakeven.capture.costs.pieces import Figures
from breakeven.report.vega import Chart, Point, series, shapes, spec, tips

SHOWN = ("cnn", "transformer")  # a break in ResNet-18 is less than the noise of its calls


def added(found: Sequence[Figures]) -> Chart:
    """Return the picture of the microseconds that breaks add to a call.

    Args:
        found: the figures of `per_break`.
    """
    shown = [each for each in found if each["model"] in SHOWN]
    data: list[Point] = [
        {
            "model": each["model"],
            "breaks": int(count),
            "added_us": us - each["start_us"],
            "fit_us": each["slope_us"] * int(count),
        }
        for each in shown
        for count, us in each["us"].items()
    ]
    models = [each["model"] for each in shown]
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("breaks:Q", title="graph breaks", axis=alt.Axis(values=[0, 1, 2, 4, 8])),
        color=series("model", models),
    )
    title = "added to a call, µs"
    line = base.mark_line(strokeDash=[4, 3]).encode(y=alt.Y("fit_us:Q", title=title))
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        y=alt.Y("added_us:Q", title=title),
        shape=shapes("model", models),
        tooltip=tips("model", breaks="d", added_us=".1f"),
    )
    said = "; ".join(f"{each['model']}: {each['slope_us']:.1f} µs a break" for each in shown)
    return Chart(
        "breaks",
        "What graph breaks add to a call",
        "The same model in one graph, and with 1, 2, 4 and 8 breaks. Dashed: the line through the times.",
        data,
        spec(alt.layer(line, points), 260),
        summary=said,
    )
