"""The table of a compiler's passes, and the change that one pass makes in the graph."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.core.files import write_text
from breakeven.core.format import brief
from breakeven.diagnosis.graph_text import difference
from breakeven.report.terminal_table import paragraph
from breakeven.results.ladder_record import Climbed, times

MOST_KINDS = 4  # of nodes, in a line


def show(title: str, climbed: Sequence[Climbed]) -> None:
    """Print what each pass gains over the one before it, and over eager."""
    console = Console(highlight=False)
    console.print(title, style="bold", markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in (("pass", False), ("gain", True), ("over eager", True), ("µs", True), ("nodes", True)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for each in climbed:
        nodes = str(sum(each.nodes.values())) if each.nodes else ""
        us = brief(each.us) if each.us else ""
        table.add_row(each.rung.name, times(each.gain), times(each.over_eager), us, nodes)
    console.print(table)
    for each in climbed:
        what = f"not timed: {each.reason}" if each.reason else f"{each.rung.does}; {_kinds(each)}"
        console.print(Text(paragraph(console, f"{each.rung.name}: {what}.")))
    console.print("Gain: over the pass that it builds on. All of them ran in the same rounds.", markup=False)


def show_change(climbed: Sequence[Climbed]) -> None:
    """Print what the last of these passes changes in the graph of the one before it."""
    *before, last = climbed
    if last.reason:
        print(f"{last.rung.name}: {last.reason}.")
    elif not before:
        print(last.graph)
    else:
        names = (before[-1].rung.name, last.rung.name)
        print(difference(before[-1].graph, last.graph, names) or f"{names[1]} changes nothing.")


def write_graphs(climbed: Sequence[Climbed], folder: Path) -> list[str]:
    """Write the graph of each pass as text; return the names of the files."""
    files = {
        f"{number}-{each.rung.name}.txt": each.graph for number, each in enumerate(climbed) if each.graph
    }
    for name, graph in files.items():
        write_text(folder / name, graph)
    return [*files]


def _kinds(each: Climbed) -> str:
    """Return the commonest kinds of nodes, and the error of the outputs."""
    nodes = sorted((each.nodes or {}).items(), key=lambda item: -item[1])
    told = ", ".join(f"{count} {kind}" for kind, count in nodes[:MOST_KINDS])
    return f"{told}; error {brief(each.error or 0.0)}"
