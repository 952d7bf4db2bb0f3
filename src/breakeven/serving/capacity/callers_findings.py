"""What several callers were seen to gain, in sentences and a chart."""

from collections.abc import Iterator, Sequence

import altair as alt

from breakeven.core.format import times
from breakeven.engine.settings import ALONE, Arrangement
from breakeven.engine.statistics import FASTER, SAME, SLOWER, UNDECIDED, Interval
from breakeven.report.extra_sections import ExtraSection
from breakeven.report.vega import LINE_HEIGHT, Chart, Point, names, series, spec, tips
from breakeven.results.callers import SHARE, UNKNOWN, WAIT, WAITING, CallersRecord, CallersRow

# How one process that computes a call on all cores compares with one process for each core
COMPARED = {
    FASTER: "more than",
    SLOWER: "less than",
    SAME: "as much as",
    UNDECIDED: "more or less, not told from noise, than",
}


def section(record: CallersRecord) -> ExtraSection:
    """Return the report's section on one family."""
    return ExtraSection(
        f"callers-{record.family}",
        f"Several callers at once: {record.family}, on {record.cores} cores",
        list(sentences(record)),
        [chart(record)] if any(record.measured) else [],
    )


def title(arrangement: Arrangement) -> str:
    """Return an arrangement in words, as "2 caller threads"."""
    kind = "processes" if arrangement.processes else "caller threads"
    who = f"{arrangement.callers} {kind}" if arrangement.callers > 1 else "1 caller"
    return f"{who}, {arrangement.threads} threads inside a call" if arrangement.threads > 1 else who


def told(gain: Interval) -> str:
    """Return a gain with its interval, as "1.92x (1.88 to 1.96)"."""
    return times(gain.value, gain.low, gain.high)


def sentences(record: CallersRecord) -> Iterator[str]:
    """Yield who gains from callers that are threads, the most that is gained, and calls on all cores."""
    rows = [*record.measured]
    cores = record.cores
    if rows:
        yield (
            f"All callers share {cores} cores, and a call has one thread: so {cores} callers or more get "
            f"through {cores} times as much as one caller, at best."
        )
    for kind, words in (
        (
            SHARE,
            f"{cores} caller threads that share a session get through at least {WAITING:.0%} of what "
            f"{cores} processes do",
        ),
        (
            WAIT,
            f"{cores} caller threads gain little or lose: they get through less than {WAITING:.0%} of that",
        ),
        (UNKNOWN, "Whether caller threads get through as much is not told from noise"),
    ):
        own = [row for row in rows if row.sharing(cores) == kind]
        if own:
            yield f"{words}: {'; '.join(_threads(row, cores) for row in own)}."
    if rows:
        callers = max(each.callers for each in rows[0].arrangements())
        most = Arrangement(1, callers, False)
        best = max(rows, key=lambda row: row.gain(most).value)
        yield f"The most that {callers} caller threads gain is {told(best.gain(most))}: {best.variant}."
    yield from _on_all_cores(rows, cores)
    for row in record.rows:
        if row.reason:
            yield f"{row.variant} was not measured: {row.reason}."


def _threads(row: CallersRow, callers: int) -> str:
    threads, processes = (told(row.gain(Arrangement(1, callers, kind))) for kind in (False, True))
    return f"{row.variant} {threads} of one caller (processes {processes})"


def _on_all_cores(rows: Sequence[CallersRow], cores: int) -> Iterator[str]:
    """Yield whether a call on all cores, or processes with as many threads, beat a process for each core."""
    each, one, too_many = (
        Arrangement(1, cores, True),
        Arrangement(cores),
        Arrangement(cores, cores, True),
    )
    for other, who in (
        (one, f"One process with {cores} threads inside a call"),
        (too_many, f"{cores} processes with {cores} threads inside a call"),
    ):
        for verdict, words in COMPARED.items():
            own = [row for row in rows if row.verdict(other, each) == verdict]
            if own:
                listed = ", ".join(f"{row.variant} {told(row.gain(other, each))}" for row in own)
                yield f"{who}: {words} {cores} processes with one thread, namely {listed} of their calls."


def chart(record: CallersRecord) -> Chart:
    """Return the throughput of each arrangement over that of one caller."""
    data: list[Point] = []
    kinds: list[str] = []
    for row in record.measured:
        for arrangement in row.arrangements():
            if arrangement != ALONE:
                gain = row.gain(arrangement)
                data.append(
                    {
                        "variant": row.variant,
                        "who": title(arrangement),
                        "gain": gain.value,
                        "low": gain.low,
                        "high": gain.high,
                    }
                )
                kinds += [title(arrangement)] * (title(arrangement) not in kinds)
    base = alt.Chart(alt.NamedData("table")).encode(
        y=names("variant", [row.variant for row in record.measured]),
        yOffset=alt.YOffset("who:N", sort=kinds),
        color=series("who", kinds),
        tooltip=tips("variant", "who", gain=".2f", low=".2f", high=".2f"),
    )
    x = alt.X("gain:Q", title="calls per second, times those of one caller", scale=alt.Scale(zero=True))
    bars = base.mark_bar().encode(x=x)
    intervals = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", color=alt.value("black"))
    height = LINE_HEIGHT * 2 * len([*record.measured])
    return Chart(
        f"callers-{record.family}",
        f"{record.family}: several callers at once",
        "Calls per second beside one caller with one thread, with intervals of 95%.",
        data,
        spec(alt.layer(bars, intervals), height),
        summary="; ".join(
            f"{point['variant']}: {point['gain']:.2f}x" for point in data if point["who"] == kinds[0]
        )
        + f", each with {kinds[0]}",
    )
