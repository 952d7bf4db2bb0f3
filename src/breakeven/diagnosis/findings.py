"""What the passes of a compiler are worth, in sentences and a chart, for the report and for MLflow."""

from collections.abc import Iterator, Sequence

import altair as alt

from breakeven.diagnosis.climb import Climbed
from breakeven.engine.statistics import Interval
from breakeven.report.extra_sections import ExtraSection
from breakeven.report.vega import (
    COLOUR_RANGE,
    GREY,
    LINE_HEIGHT,
    Chart,
    Point,
    names,
    spec,
    tips,
    with_interval,
)


def section(family: str, runtime: str, title: str, climbed: Sequence[Climbed]) -> ExtraSection:
    """Return the report's section on the passes of one compiler for one family.

    Args:
        title: of the compiler.
    """
    return ExtraSection(
        f"passes-{family}-{runtime}",
        f"What each pass of {title} is worth for {family}",
        list(sentences(climbed)),
        [gains(family, runtime, climbed)],
    )


def sentences(climbed: Sequence[Climbed]) -> Iterator[str]:
    """Yield which passes gain, which lose, and which could not be timed."""
    first = climbed[0]
    if first.over_eager:
        yield f"{first.rung.name} alone, {first.rung.does}, is {times(first.over_eager)} as fast as eager."
    known = [(each, each.gain) for each in climbed if each.gain]
    for word, kept in (
        ("surely faster", [each for each in known if each[1].low > 1]),
        ("surely slower", [each for each in known if each[1].high < 1]),
    ):
        for each, gain in sorted(kept, key=lambda pair: -abs(pair[1].value - 1)):
            yield f"{each.rung.name} makes it {word}: {times(gain)} as fast as {each.rung.after}."
    if same := [each.rung.name for each, gain in known if gain.low <= 1 <= gain.high]:
        yield f"No gain or loss was seen of {', '.join(same)}."
    for each in climbed:
        if each.reason:
            yield f"{each.rung.name} was not timed: {each.reason}."


def times(gain: Interval | None) -> str:
    """Return a gain with its interval; "" if there is none."""
    return f"{gain.value:.2f}x ({gain.low:.2f} to {gain.high:.2f})" if gain else ""


def gains(family: str, runtime: str, climbed: Sequence[Climbed]) -> Chart:
    """Return the picture of what each pass gains over the one that it builds on."""
    data: list[Point] = [
        {
            "pass": f"{each.rung.name}, over {each.rung.after or 'eager'}",
            "gain": gain.value,
            "low": gain.low,
            "high": gain.high,
        }
        for each in climbed
        if (gain := each.gain or each.over_eager)
    ]
    scale = alt.Scale(type="log", base=2, padding=12, nice=False)
    base = with_interval(alt.Chart(alt.NamedData("table"))).encode(
        y=names("pass", [point["pass"] for point in data]), tooltip=tips("pass", "interval", gain=".3f")
    )
    one = alt.Chart(alt.InlineData([{}])).mark_rule(color=GREY).encode(x=alt.XDatum(1, scale=scale))
    whisker = base.mark_rule(strokeWidth=2, color=COLOUR_RANGE[0]).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q"
    )
    point = base.mark_point(filled=True, size=70, opacity=1, color=COLOUR_RANGE[0]).encode(
        x=alt.X("gain:Q", scale=scale, title="gain of the pass (log scale)")
    )
    return Chart(
        f"passes-{family}-{runtime}",
        f"{family}: gain of each pass",
        "To the right of 1x is faster. Lines: intervals. All passes ran in the same rounds.",
        data,
        spec(alt.layer(one, whisker, point), LINE_HEIGHT * len(data)),
        summary="; ".join(f"{point['pass']}: {point['gain']:.2f}x" for point in data),
    )
