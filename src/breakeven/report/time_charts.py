"""Pictures of where time goes: bars that begin where the one before ends, and add up."""

from collections.abc import Sequence

import altair as alt

from breakeven.report.vega import COLOUR_RANGE, GREY, LINE_HEIGHT, Chart, Point, names, spec, tips
from breakeven.results.time_profile import UNEXPLAINED, TimeProfile, duration
from breakeven.results.waterfall import steps

OPERATORS, CALLING, WHOLE = "inside operators", "between them", "the whole call"
MORE, LESS = "takes more", "takes less"
COLOURS = {
    OPERATORS: COLOUR_RANGE[0],
    CALLING: COLOUR_RANGE[1],
    MORE: COLOUR_RANGE[1],
    LESS: COLOUR_RANGE[0],
    UNEXPLAINED: GREY,
    WHOLE: COLOUR_RANGE[2],
}


def of_profile(name: str, title: str, profile: TimeProfile) -> Chart:
    """Return the parts of a call, from left to right, and the whole call below them."""
    kinds = profile.kinds()
    data: list[Point] = []
    end = 0.0
    for part, us in profile.parts().items():
        what = OPERATORS if part in kinds else UNEXPLAINED if part == UNEXPLAINED else CALLING
        data.append(_bar(part, what, end, end + us, f"{us / profile.us:.1%} of the call"))
        end += us
    data.append(_bar("the whole call", WHOLE, 0.0, profile.us, "p50, while nothing profiles it"))
    return _chart(name, title, "Each bar begins where the one above it ends.", data)


def of_difference(name: str, title: str, first: TimeProfile, second: TimeProfile) -> Chart:
    """Return the way from the time of the first variant to that of the second, part by part."""
    data = [_bar(first.name, WHOLE, 0.0, first.us, "p50, while nothing profiles it")]
    end = first.us
    for step in steps(first, second):
        what = UNEXPLAINED if step.name == UNEXPLAINED else MORE if step.us > 0 else LESS
        data.append(_bar(step.name, what, end, end + step.us, step.why))
        end += step.us
    data.append(_bar(second.name, WHOLE, 0.0, second.us, "p50, while nothing profiles it"))
    caption = "Each bar begins where the one above it ends. Bars to the left are time that is saved."
    return _chart(name, title, caption, data)


def _bar(part: str, what: str, begin: float, end: float, why: str) -> Point:
    return {"part": part, "what": what, "begin": begin, "end": end, "us": end - begin, "why": why}


def _chart(name: str, title: str, caption: str, data: Sequence[Point]) -> Chart:
    present = [what for what in COLOURS if any(point["what"] == what for point in data)]
    colour = alt.Color(
        "what:N",
        scale=alt.Scale(domain=present, range=[COLOURS[what] for what in present]),
        legend=alt.Legend(orient="top", symbolOpacity=1, labelFontSize=12),
        title=None,
    )
    scale = alt.Scale(nice=False, zero=True)
    bars = (
        alt.Chart(alt.NamedData("table"))
        .mark_bar(height=14)
        .encode(
            x=alt.X("begin:Q", scale=scale, title="µs"),
            x2="end:Q",
            y=names("part", [point["part"] for point in data]),
            color=colour,
            tooltip=tips("part", "why", us=".4g"),
        )
    )
    summary = "; ".join(f"{point['part']}: {duration(point['us'])}" for point in data)
    return Chart(name, title, caption, list(data), spec(bars, LINE_HEIGHT * len(data)), summary=summary)
