"""The list of the columns that a reader sees. The terminal, the page and the Markdown tables use it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from breakeven.report.row_text import (
    against_control,
    all_calls,
    breakeven,
    change,
    in_runtime,
    interval,
    memory,
    number,
    of_means,
    p99,
    throughput,
)
from breakeven.results.result_row import ResultRow
from breakeven.results.score_text import change_unit, metric_title, score_text, worst_text

View = Literal["terminal", "page", "markdown"]
SCORE, CHANGE = "accuracy", "change, points"  # their titles are those of the rows' metric
EVERYWHERE: tuple[View, ...] = ("terminal", "page", "markdown")


@dataclass(frozen=True)
class RowColumn:
    """A column of a table of results."""

    title: str
    text: Callable[[ResultRow], str]
    sort_by: str | None = None  # the figure of the row that orders the column; None: its text does
    views: tuple[View, ...] = EVERYWHERE
    note: Callable[[ResultRow], str | None] = lambda _: None  # small text below, where a view has room
    more: bool = False  # whether the page shows it only with all columns
    rank: int = 0  # a terminal without room leaves out the columns with the highest ranks
    several_only: bool = False  # whether to leave it out where every call has one input from one caller


COLUMNS = (
    RowColumn(
        "variant", lambda row: row.variant, note=lambda row: "; ".join(filter(None, [row.reason, row.notes]))
    ),
    RowColumn("verdict", lambda row: row.verdict, rank=6),
    RowColumn("speedup", lambda row: number(row.speedup, ".2f", "x"), "speedup", rank=1),
    RowColumn("interval", interval, "speedup_ci_low", rank=2),
    RowColumn(
        "over its fp32",
        lambda row: number(row.speedup_in_runtime, ".2f", "x"),
        "speedup_in_runtime",
        ("terminal",),
        rank=11,
    ),
    RowColumn("over fp32 in its runtime", in_runtime, "speedup_in_runtime", ("page", "markdown"), more=True),
    RowColumn("mean of all calls", of_means, "speedup_of_means", ("page",), more=True),
    RowColumn("p50 ms", lambda row: number(row.latency_ms_p50, ".4g"), "latency_ms_p50", rank=5),
    RowColumn(
        "p99 ms", lambda row: number(row.latency_ms_p99, ".4g"), "latency_ms_p99", ("terminal",), rank=10
    ),
    RowColumn("p99 ms", p99, "latency_ms_p99", ("page", "markdown"), more=True),
    RowColumn("inputs/s", throughput, "throughput_per_s", ("terminal", "page"), rank=3, several_only=True),
    RowColumn(
        SCORE,
        lambda row: score_text(row) if row.trained else "untrained",
        "score",
        rank=3,
    ),
    RowColumn("worst", worst_text, "score_delta_ci_low", ("terminal",), rank=4),
    RowColumn(CHANGE, change, "score_delta", rank=7),
    RowColumn("against the control", against_control, "control_delta", ("markdown",)),
    RowColumn("MB", lambda row: number(row.artifact_mb, ".2f"), "artifact_mb", rank=8),
    RowColumn("memory beyond imports, MB", memory, "peak_memory_mb", ("page",), more=True),
    RowColumn("break-even calls", breakeven, "breakeven_calls", ("terminal",), rank=9),
    RowColumn("break-even calls", all_calls, "breakeven_calls", ("page", "markdown")),
    RowColumn(
        "executed in",
        lambda row: row.executed_precision or "",
        views=("terminal", "page"),
        note=lambda row: row.execution,
        more=True,
        rank=12,
    ),
)


def columns_of(view: View, rows: Sequence[ResultRow]) -> list[RowColumn]:
    """Return the columns of a view that shows these rows, from left to right."""
    several = any(row.scenario != "single_stream" for row in rows)
    units = {change_unit(row) for row in rows} or {"points"}
    titles = {
        SCORE: metric_title(rows),
        CHANGE: ", ".join(filter(None, ["change", units.pop() if len(units) == 1 else ""])),
    }
    return [
        replace(column, title=titles.get(column.title, column.title))
        for column in COLUMNS
        if view in column.views and (several or not column.several_only)
    ]
