"""The table that `dvc repro` prints at its end."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from breakeven.report.row_columns import columns_of
from breakeven.results.records import BenchmarkResult, moment
from breakeven.results.result_row import ResultRow, cell, scenario, title

VERDICT_COLOURS = {
    "faster": "green",
    "slower": "red",
    "wrong": "red",
    "failed": "red",
    "unsupported": "yellow",
    "same": "cyan",
}


def show(benchmarks: Iterable[BenchmarkResult], rows: Sequence[ResultRow]) -> None:
    """Print one table for each family, hardware and scenario."""
    console = Console(width=max(shutil.get_terminal_size().columns, 221))
    for benchmark in benchmarks:
        for scenario_rows in scenarios(benchmark, rows):
            console.print(_table(benchmark, scenario_rows))
            bold = "Bold: no other variant is at once as fast, as accurate and as small. "
            console.print(bold + footer(benchmark, scenario_rows), style="dim", highlight=False, markup=False)
            for row in scenario_rows:
                if row.reason:
                    console.print(
                        f"  {row.variant}: {row.verdict}, {row.reason}", highlight=False, markup=False
                    )
            for warning in warnings(benchmark, scenario_rows[0]):
                console.print(f"  {warning}", highlight=False, markup=False)
            console.print()


def scenarios(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Iterator[list[ResultRow]]:
    """Yield the rows of a benchmark, one list for each scenario."""
    family_and_hardware = (benchmark.family, benchmark.hardware)
    for _, group in groupby((row for row in rows if cell(row)[:2] == family_and_hardware), key=cell):
        yield list(group)


def warnings(benchmark: BenchmarkResult, row: ResultRow) -> list[str]:
    """Return the warnings on the row's scenario, each with its remedy."""
    scenario_warnings = [w for w in benchmark.warnings if w["scenario"] == scenario(row).title]
    return [f"{warning['name']}: {warning['text']}; {warning['remedy']}" for warning in scenario_warnings]


def _table(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Table:
    table = Table(
        title=escape(f"{benchmark.family} ({benchmark.title}) on {title(rows[0])}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        title_style="bold",
    )
    columns = columns_of("terminal", rows)
    for column in columns:
        table.add_column(column.title, justify="right" if column.sort_by else "left", no_wrap=True)
    for row in sorted(rows, key=lambda row: -(row.speedup or 0)):
        cells = [Text(column.text(row), VERDICT_COLOURS.get(column.text(row), "")) for column in columns]
        table.add_row(*cells, style="bold" if row.pareto else "")
    return table


def footer(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> str:
    """Return the facts to judge a scenario's rows by: the twin, how much was measured, when and where."""
    called = scenario(rows[0]).title
    twin = next((row for row in rows if row.variant == "twin"), None)
    sentences = []
    if twin and twin.speedup and twin.speedup_ci_low and twin.noise_floor:
        sentences.append(
            f"The twin, an identical copy of the baseline, came out at {twin.speedup:.3f} "
            f"({twin.speedup_ci_low:.3f} to {twin.speedup_ci_high:.3f}): differences below "
            f"{twin.noise_floor - 1:.1%} are noise."
        )
    if effects := [row.min_detectable_effect for row in rows if row.min_detectable_effect]:
        sentences.append(
            f"Four of five such runs find a gain of {np.median(effects) - 1:.1%} (the median variant)."
        )
    replicates, stopped = max(row.replicates for row in rows), benchmark.stopped[called]
    when = f", {moment(benchmark.measured[called][0])}" if called in benchmark.measured else ""
    sentences.append(
        f"{replicates} replicates ({stopped}){when}; {benchmark.test_images:,} test images; "
        f"{benchmark.machine['name']}."
    )
    return " ".join(sentences)
