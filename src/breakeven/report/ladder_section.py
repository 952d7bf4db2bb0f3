"""What the passes of a compiler are worth, in the report: sentences and a chart."""

import altair as alt

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
from breakeven.results.ladder_record import LadderRecord, sentences


def section(record: LadderRecord) -> ExtraSection:
    """Return the report's section on the passes of one compiler for one family."""
    return ExtraSection(
        record.name,
        f"What each pass of {record.title} is worth for {record.family}",
        list(sentences(record.climbed)),
        [gains(record)],
    )


def part(record: LadderRecord, inputs: int) -> tuple[list[str], list[Chart]]:
    """Return the sentences and the chart of a ladder, for the section on the variant to deploy.

    Args:
        inputs: of a call.
    """
    if not record.climbed:
        return [f"The passes of its compiler were not measured one by one: {record.reason}."], []
    said = f"The passes of {record.title} were measured one by one, for none/fp32 and {inputs} input"
    return [f"{said}{'s' * (inputs != 1)} a call.", *sentences(record.climbed)], [gains(record)]


def gains(record: LadderRecord) -> Chart:
    """Return the picture of what each pass gains over the one that it builds on."""
    data: list[Point] = [
        {
            "pass": f"{each.rung.name}, over {each.rung.after or 'eager'}",
            "gain": gain.value,
            "low": gain.low,
            "high": gain.high,
        }
        for each in record.climbed
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
        record.name,
        f"{record.family}: gain of each pass",
        "To the right of 1x is faster. Lines: intervals. All passes ran in the same rounds.",
        data,
        spec(alt.layer(one, whisker, point), LINE_HEIGHT * len(data)),
        summary="; ".join(f"{point['pass']}: {point['gain']:.2f}x" for point in data),
    )
