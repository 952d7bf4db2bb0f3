"""The table of the self-test, for a terminal and for a page of the documentation."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from breakeven.engine.selftest.check import Check


def show(rows: Sequence[Check], machine: Mapping[str, Any]) -> None:
    """Print all rows as a table, rows with a bar first, and the number of missed bars."""
    console = Console(width=150)
    title = f"The engine measured by itself, on {machine['name']}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("check")
    table.add_column("condition")
    for name in ("value", "interval", "bar", "holds"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda row: row.holds is None):
        interval = "" if row.low is None or row.high is None else f"{row.low:.4g} to {row.high:.4g}"
        holds = {True: "yes", False: "[red]no[/]", None: ""}[row.holds]
        table.add_row(row.check, row.condition, f"{row.value:.4g}", interval, row.bar, holds)
    console.print(table)
    missed = [row for row in rows if row.holds is False]
    console.print(f"{sum(row.holds is not None for row in rows)} bars, {len(missed)} missed")


def markdown(rows: Sequence[Check]) -> str:
    """Return all rows as a Markdown table for a page of the documentation."""
    head = ("check", "condition", "value", "95% interval or middle half", "bar", "holds")
    lines: list[Sequence[str]] = [head, ["---"] * len(head)]
    for row in rows:
        interval = "" if row.low is None or row.high is None else f"{row.low:.3g} to {row.high:.3g}"
        holds = {True: "yes", False: "**no**", None: ""}[row.holds]
        lines.append([row.check, row.condition, f"{row.value:.3g}", interval, row.bar, holds])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
