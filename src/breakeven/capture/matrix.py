"""A picture of models by ways: each cell has the colour and the sign of its outcome."""

from collections.abc import Sequence

import altair as alt

from breakeven.capture import way
from breakeven.capture.outcome import SIGNS, Kind, Outcome
from breakeven.report.vega import Chart, Point, spec

# Readers who see no colours have the sign. Near those of Okabe and Ito
COLOURS: dict[Kind, str] = {
    "right": "#8FD3B6",
    "pieces": "#A9D4F0",
    "refused": "#F3E3A1",
    "wrong": "#D55E00",
    "crash": "#7A4EAB",
    "random": "#D0D0D0",
}
CELL = 17  # pixels of a line


def matrix(outcomes: Sequence[Outcome], title: str, name: str = "matrix") -> Chart:
    """Return the picture of these outcomes, in their order.

    Args:
        name: of the chart, in names of files.
    """
    data: list[Point] = [
        {
            "model": each.model,
            "way": way.load(each.way).title,
            "outcome": SIGNS[each.kind][1],
            "sign": SIGNS[each.kind][0],
        }
        for each in outcomes
    ]
    kinds = [kind for kind in SIGNS if any(each.kind == kind for each in outcomes)]
    words = [SIGNS[kind][1] for kind in kinds]
    colours = alt.Scale(domain=words, range=[COLOURS[kind] for kind in kinds])
    models = list(dict.fromkeys(point["model"] for point in data))
    ways = list(dict.fromkeys(point["way"] for point in data))
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("way:N", sort=ways, title=None, axis=alt.Axis(orient="top", labelAngle=-40)),
        y=alt.Y("model:N", sort=models, title=None),
    )
    cells = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color("outcome:N", scale=colours, title=None, legend=alt.Legend(orient="top", columns=3))
    )
    signs = base.mark_text(fontSize=12, fontWeight="bold").encode(text="sign:N")
    legend = ", ".join(f"{SIGNS[kind][0]} {SIGNS[kind][1]}" for kind in kinds)
    return Chart(name, title, f"{legend}.", data, spec(alt.layer(cells, signs), CELL * len(models)))
