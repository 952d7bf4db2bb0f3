"""The text of a result: one table of at most 80 columns, one sentence, and the warnings."""

import io
import math
import textwrap
from typing import TYPE_CHECKING

from breakeven.engine.settings import TWIN
from breakeven.engine.statistics import FASTER, SAME, SLOWER, UNDECIDED, Interval

if TYPE_CHECKING:
    from breakeven.engine.result import Result, TimedVariant

TEXT_WIDTH = 80
TIME_UNITS = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))


def render(result: "Result") -> str:
    """Return the table, the sentence and the warnings, in lines of at most 80 columns."""
    parts = [_table(result), sentence(result)]
    if result.loop_ns is not None:
        parts.append(
            f"Calls are timed in loops; the loop adds about {duration(result.loop_ns * 1e-9)} to each call "
            "of every variant."
        )
    parts += [f"Warning: {warning.text}: {warning.remedy}." for warning in result.warnings]
    wrapped = [textwrap.fill(part, TEXT_WIDTH, break_on_hyphens=False) for part in parts[1:]]
    return "\n".join([parts[0], *wrapped])


def _table(result: "Result") -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", overflow="fold", max_width=24)
    table.add_column("time per call", justify="right", no_wrap=True)
    table.add_column("speedup", justify="right", no_wrap=True)
    table.add_column(f"{result.confidence:.0%} interval", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    rows = [(each.name, each) for each in result.variants.values()]
    if result.control:
        rows.append((TWIN, result.control))
    for name, each in rows:
        table.add_row(
            escape(name),
            duration(each.time.value) if each.time else "",
            ratio(each.speedup.value) if each.speedup else "",
            interval(each.speedup) if each.speedup else "",
            each.verdict,
        )
    console = Console(file=io.StringIO(), width=TEXT_WIDTH, highlight=False, color_system=None)
    console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in str(text).splitlines())


def sentence(result: "Result") -> str:
    """Return the findings in one sentence; if variants were not timed, only the reasons for that."""
    untimed = [each for each in result.others if each.time is None]
    if untimed:
        causes = "; ".join(
            f"{each.name} {'is' if each.verdict == 'wrong' else ''} {each.verdict}: {each.reason}"
            for each in untimed
        ).replace("  ", " ")
        return f"{causes}."
    effort = f"{result.seconds:.0f} s, {result.stopped}" if result.stopped else f"{result.seconds:.0f} s"
    if not result.others:
        control = result.control
        if control is None or control.detectable is None:
            return f"Nothing can be said after {effort}."
        return (
            f"This was an A/A run: two copies of {result.baseline} differ by "
            f"{abs(control.speedup.value - 1) if control.speedup else 0:.1%}, and a difference of "
            f"{control.detectable - 1:.1%} could be seen ({effort})."
        )
    return f"{'; '.join(_clause(each, result) for each in result.others)} ({effort})."


def _clause(each: "TimedVariant", result: "Result") -> str:
    if each.speedup is None:
        return f"{each.name} is {each.verdict}" + (f": {each.reason}" if each.reason else "")
    if each.verdict == FASTER:
        return f"{each.name} is {ratio(each.speedup.value)} as fast as {result.baseline}"
    if each.verdict == SLOWER:
        return f"{each.name} takes {ratio(1 / each.speedup.value)} the time of {result.baseline}"
    if each.verdict == SAME:
        return f"{each.name} is as fast as {result.baseline}, within {result.margin:.1%}"
    assert each.verdict == UNDECIDED
    why = f": {each.reason}" if each.reason else ""
    return f"whether {each.name} differs from {result.baseline} is undecided{why}"


def ratio(value: float) -> str:
    """Return a ratio as text, with three decimals below 10 and four digits above: 0.952x, 1.050x, 12.30x."""
    return f"{_digits(value)}x"


def interval(value: Interval) -> str:
    """Return both bounds as text; "unknown" if they are more than 1000 times apart."""
    if value.high / value.low > 1000:
        return "unknown"
    return f"{_digits(value.low)} to {_digits(value.high)}"


def _digits(value: float) -> str:
    return f"{value:.{max(0, 3 - max(0, math.floor(math.log10(value))))}f}"


def duration(seconds: float) -> str:
    """Return a time as text, with four digits and its unit."""
    factor, unit = next(
        ((factor, unit) for factor, unit in reversed(TIME_UNITS) if seconds >= factor * 0.99995),
        TIME_UNITS[0],
    )
    value = seconds / factor
    return f"{value:.{max(0, 3 - max(0, math.floor(math.log10(value)) if value > 0 else 0))}f} {unit}"
