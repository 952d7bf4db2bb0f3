"""The table that `dvc repro` prints at its end."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from breakeven.core.format import brief
from breakeven.results.records import BenchmarkResult, ResultRow, cell, moment, scenario, title

BEYOND = 1000  # bounds above it mean nothing: two replicates that differ give almost any bound
TIMES = ("speedup", "interval", "p50 ms", "p99 ms")
COLOURS = {"faster": "green", "slower": "red", "failed": "red", "unsupported": "yellow", "same": "cyan"}


def show(benchmarks: Iterable[BenchmarkResult], rows: Sequence[ResultRow]) -> None:
    """Print one table for each family, hardware and scenario."""
    console = Console(width=max(shutil.get_terminal_size().columns, 205))
    for benchmark in benchmarks:
        for mine in scenarios(benchmark, rows):
            console.print(_table(benchmark, mine))
            bold = "Bold: no other variant is at once as fast, as accurate and as small. "
            console.print(bold + footer(benchmark, mine), style="dim", highlight=False, markup=False)
            for row in mine:
                if row.reason:
                    console.print(
                        f"  {row.variant}: {row.verdict}, {row.reason}", highlight=False, markup=False
                    )
            for warning in warnings(benchmark, mine[0]):
                console.print(f"  {warning}", highlight=False, markup=False)
            console.print()


def scenarios(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Iterator[list[ResultRow]]:
    """Yield the rows of a benchmark, one list for each scenario."""
    place = (benchmark.family, benchmark.hardware)
    for _, group in groupby((row for row in rows if cell(row)[:2] == place), key=cell):
        yield list(group)


def warnings(benchmark: BenchmarkResult, row: ResultRow) -> list[str]:
    """Return the warnings on the row's scenario, each with its remedy."""
    mine = [w for w in benchmark.warnings if w["scenario"] == scenario(row).title]
    return [f"{warning['name']}: {warning['text']}; {warning['remedy']}" for warning in mine]


def _table(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> Table:
    table = Table(
        title=escape(f"{benchmark.family} ({benchmark.title}) on {title(rows[0])}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        title_style="bold",
    )
    for name in ("variant", "verdict", "executed in"):
        table.add_column(name, no_wrap=True)
    several = rows[0].scenario != "single_stream"
    for name in (
        *TIMES,
        *(["images/s"] if several else []),
        "accuracy",
        "change, points",
        "MB",
        "break-even calls",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda r: -(r.speedup or 0)):
        colour = COLOURS.get(row.verdict, "")
        table.add_row(
            row.variant,
            f"[{colour}]{row.verdict}[/]" if colour else row.verdict,
            ", ".join((row.executed_precision or "").split(", ")[:2]),
            *times(row),
            *([throughput(row)] if several else []),
            number(row.accuracy, ".2%") if row.trained else "untrained",
            change(row),
            number(row.artifact_mb, ".2f"),
            calls(row),
            style="bold" if row.pareto else "",
        )
    return table


def footer(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> str:
    """Return the facts to judge a scenario's rows by: the twin, how much was measured, when and where."""
    called = scenario(rows[0]).title
    twin = next((row for row in rows if row.variant == "twin"), None)
    said = []
    if twin and twin.speedup and twin.speedup_ci_low and twin.noise_floor:
        said.append(
            f"The twin, an identical copy of the baseline, came out at {twin.speedup:.3f} "
            f"({twin.speedup_ci_low:.3f} to {twin.speedup_ci_high:.3f}): differences below "
            f"{twin.noise_floor - 1:.1%} are noise."
        )
    if effects := [row.min_detectable_effect for row in rows if row.min_detectable_effect]:
        said.append(
            f"Four of five such runs find a gain of {np.median(effects) - 1:.1%} (the median variant)."
        )
    replicates, stopped = max(row.replicates for row in rows), benchmark.stopped[called]
    when = f", {moment(benchmark.measured[called][0])}" if called in benchmark.measured else ""
    said.append(
        f"{replicates} replicates ({stopped}){when}; {benchmark.test_images:,} test images; "
        f"{benchmark.machine['name']}."
    )
    return " ".join(said)


def number(value: float | None, form: str, unit: str = "") -> str:
    """Return a formatted value; empty if there is none."""
    return "" if value is None else f"{value:{form}}{unit}"


def throughput(row: ResultRow) -> str:
    """Return the inputs per second, with a note if they are the most within the study's limit of p99."""
    return number(row.throughput_per_s, ",.0f") + (" (most within the limit)" if row.within_limit else "")


def calls(row: ResultRow) -> str:
    """Return the break-even calls with their bounds, since start times are noisy."""
    value, *bounds = row.breakeven_calls, row.breakeven_calls_low, row.breakeven_calls_high
    told = [brief(float(bound)) for bound in bounds if bound and bound.isdigit()]
    if not value or not value.isdigit():
        return value or ""
    return brief(float(value)) + (f" ({' to '.join(told)})" if len(told) == 2 else "")


def interval(row: ResultRow) -> str:
    """Return the interval of the speedup."""
    low, high = row.speedup_ci_low, row.speedup_ci_high
    if low is None or high is None:
        return ""
    return f"{low:.2f} to {high:.2f}" if high < BEYOND else f"{low:.2f} to {high:.0e}"


def times(row: ResultRow) -> list[str]:
    """Return the figures for the columns `TIMES`."""
    latencies = (number(row.latency_ms_p50, ".3f"), number(row.latency_ms_p99, ".3f"))
    return [number(row.speedup, ".2f", "x"), interval(row), *latencies]


def change(row: ResultRow) -> str:
    """Return the change in accuracy from the baseline, in percentage points, with its interval."""
    if row.verdict in ("baseline", "control"):
        return ""
    return _points(row.accuracy_delta, row.accuracy_delta_ci_low, row.accuracy_delta_ci_high)


def against_control(row: ResultRow) -> str:
    """Return the difference in accuracy from the control, in percentage points, with its interval."""
    return _points(row.control_delta, row.control_delta_ci_low, row.control_delta_ci_high)


def _points(delta: float | None, low: float | None, high: float | None) -> str:
    if delta is None or low is None or high is None:
        return ""
    return f"{100 * delta:+.2f} ({100 * low:+.1f} to {100 * high:+.1f})"
