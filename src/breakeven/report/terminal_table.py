"""The table of results in a terminal, with as many columns as fit."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from breakeven.core.format import wrapped
from breakeven.engine.samples import STOPPED
from breakeven.plugins.tasks.base import figure_text
from breakeven.report.row_columns import RowColumn, columns_of
from breakeven.report.row_text import BEYOND_LIMITS
from breakeven.results.limits import Limits
from breakeven.results.records import BenchmarkResult, moment
from breakeven.results.result_row import ResultRow, cell, scenario, title
from breakeven.results.score_text import metric_title

MAX_WIDTH = 1000  # more than any table needs
VERDICT_COLOURS = {
    "faster": "green",
    "slower": "red",
    "wrong": "red",
    "failed": "red",
    "unsupported": "yellow",
    "same": "cyan",
}


def show(
    benchmarks: Iterable[BenchmarkResult],
    rows: Sequence[ResultRow],
    wide: bool = False,
    limits: Limits | None = None,
) -> None:
    """Print one table for each family, hardware and scenario, and below each what to know about it.

    Args:
        wide: print every column, also those that the terminal has no room for.
        limits: the limits that the rows are marked by; None: there are none.
    """
    console, limits = Console(highlight=False), limits or Limits()
    for mark in _marks(_star(console), limits.sentence(rows)):
        console.print(Text(paragraph(console, mark), "dim"))
    console.print()
    for benchmark in benchmarks:
        for scenario_rows in scenarios(benchmark, rows):
            least = _least(scenario_rows, limits)
            heading = f"{benchmark.family} ({benchmark.title}) on {title(scenario_rows[0])}{least}"
            console.print(Text(heading, "bold"))
            table = _fitting_table(console, scenario_rows, wide)
            needed = Measurement.get(console, console.options.update(width=MAX_WIDTH), table).maximum
            Console(width=max(console.width, needed), highlight=False).print(table)
            note = footer(benchmark, scenario_rows) if wide else in_short(benchmark, scenario_rows)
            console.print(Text(paragraph(console, note), "dim"))
            for remark in [*remarks(scenario_rows), *warnings(benchmark, scenario_rows[0])]:
                console.print(Text(wrapped(remark, console.width, "  - ", "    ")))
            console.print()
    console.print(Text(paragraph(console, _legend(console, wide)), "dim"))
    console.print()


def _least(rows: Sequence[ResultRow], limits: Limits) -> str:
    """Return how bad a score may be, after a semicolon; "" if no limit says so."""
    if (score := limits.worst_score(rows)) is None:
        return ""
    column = "its estimate" if limits.by_estimate else "worst"
    bound = "least" if rows[0].metric_better == "higher" else "most"
    return f"; {column} must be at {bound} {figure_text(score, rows[0].metric_unit)}"


def scenarios(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Iterator[list[ResultRow]]:
    """Yield the rows of a benchmark, one list for each scenario."""
    family_and_hardware = (benchmark.family, benchmark.hardware)
    for _, group in groupby((row for row in rows if cell(row)[:2] == family_and_hardware), key=cell):
        yield list(group)


def remarks(rows: Sequence[ResultRow]) -> list[str]:
    """Return why rows are as they are; those that stopped early, which only saves time, are one sentence."""
    early = [row.variant for row in rows if row.reason.startswith(STOPPED)]
    others = [row for row in rows if row.reason and row.variant not in early]
    sentence = "measured less often, because another one is surely faster, and no worse in accuracy and size"
    return [
        *(f"{row.variant}: {row.verdict}, {row.reason}" for row in others),
        *([f"{', '.join(early)}: {sentence}"] if early else []),
    ]


def warnings(benchmark: BenchmarkResult, row: ResultRow) -> list[str]:
    """Return the warnings on the row's scenario, each with its remedy."""
    scenario_warnings = [w for w in benchmark.warnings if w["scenario"] == scenario(row).title]
    return [f"{warning['name']}: {warning['text']}; {warning['remedy']}" for warning in scenario_warnings]


def _fitting_table(console: Console, rows: Sequence[ResultRow], wide: bool) -> Table:
    """Return the table with the most important columns that fit."""
    everything = columns_of("terminal", rows)
    for count in range(len(everything), 0, -1):
        shown = sorted(everything, key=lambda column: column.rank)[:count]
        columns = [column for column in everything if column in shown]
        table = _table(rows, columns, _star(console))
        options = console.options.update(width=MAX_WIDTH)
        if wide or count == 1 or Measurement.get(console, options, table).maximum <= console.width:
            break
    return table


def _table(rows: Sequence[ResultRow], columns: Sequence[RowColumn], star: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column.title, justify="right" if column.sort_by else "left", no_wrap=True)
    for row in sorted(rows, key=lambda row: -(row.speedup or 0)):
        cells = [Text(column.text(row), VERDICT_COLOURS.get(column.text(row), "")) for column in columns]
        mark = star if row.recommended else BEYOND_LIMITS if row.beyond_limits else " "
        cells[0] = Text(f"{mark} {row.variant}")
        table.add_row(*cells, style="bold" if row.pareto else "")
    return table


def _star(console: Console) -> str:
    """Return the mark of the variant to deploy."""
    return "*" if console.options.ascii_only else "★"


def _marks(star: str, kept: str) -> list[str]:
    """Return what each mark before names means."""
    if not kept:
        return [f"{star} deploy this"]
    beyond = f"{BEYOND_LIMITS} may exceed that limit: at the unfavourable end of its interval (worst)"
    return [f"{star} deploy this: the fastest that {kept}", beyond]


def _legend(console: Console, wide: bool) -> str:
    names = (
        "A name says compression/precision/runtime; none/fp32/eager is the baseline, and twin is its copy."
    )
    bold = "Bold: no other variant is at once as fast, as accurate and as small."
    more = "`breakeven table --wide` shows all columns, and how they were measured."
    return " ".join([names, *([bold] if console.is_terminal else []), *([] if wide else [more])])


def paragraph(console: Console, text: str) -> str:
    """Return the text in indented lines that fit the terminal; no line breaks within a word."""
    return wrapped(text, console.width, "  ", "  ")


def noise(rows: Sequence[ResultRow]) -> str:
    """Return how small a difference means nothing, by the control; empty if there is no control."""
    twin = next((row for row in rows if row.variant == "twin"), None)
    if not twin or not twin.noise_floor:
        return ""
    return f"Differences below {twin.noise_floor - 1:.1%} are noise."


def in_short(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> str:
    """Return how sure the intervals are, and how small a difference means nothing."""
    return f"{_confidence(benchmark)} {noise(rows)}".rstrip()


def _confidence(benchmark: BenchmarkResult) -> str:
    confidence = benchmark.settings["confidence"]
    return f"The true speedups lie in their intervals with {confidence:.0%} confidence."


def footer(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> str:
    """Return the facts to judge a scenario's rows by: the twin, how much was measured, when and where."""
    called = scenario(rows[0]).title
    twin = next((row for row in rows if row.variant == "twin"), None)
    sentences = [_confidence(benchmark)]
    if twin and twin.speedup and twin.speedup_ci_low and twin.noise_floor:
        sentences.append(
            f"The twin, an identical copy of the baseline, came out at {twin.speedup:.3f} "
            f"({twin.speedup_ci_low:.3f} to {twin.speedup_ci_high:.3f}). {noise(rows)}"
        )
    if effects := [row.min_detectable_effect for row in rows if row.min_detectable_effect]:
        floor = twin.noise_floor if twin and twin.noise_floor else 1.0
        sentences.append(f"A true gain below {max(np.median(effects), floor) - 1:.1%} may go unseen.")
    replicates, stopped = max(row.replicates for row in rows), benchmark.stopped[called]
    when = f", {moment(benchmark.measured[called][0])}" if called in benchmark.measured else ""
    sentences.append(
        f"Measured {replicates} times in fresh processes ({stopped}){when}; {metric_title(rows)} on "
        f"{benchmark.test_images:,} test {'images' if rows[0].metric == 'accuracy' else 'samples'}; "
        f"{benchmark.machine['name']}."
    )
    return " ".join(sentences)
