"""A table of the operators that a variant executes, beside those of the baseline."""

from collections.abc import Sequence
from itertools import zip_longest

from rich import box
from rich.console import Console
from rich.table import Table

from breakeven.artifacts import fusion
from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.operators import OperatorTime, describe, fallbacks, precision_mismatch, shares

MAX_OPERATORS = 12  # most operators of each variant to print
SIDE_BY_SIDE = 130  # columns of a terminal in which the tables of both variants fit beside each other


def show(variant: Artifact, baseline: Artifact) -> None:
    """Print the operators of a variant and of the baseline, the slowest first."""
    console = Console(highlight=False)
    cards = (variant, baseline)
    console.print(f"{variant.family}: a call of one input, by the runtimes' own profilers", markup=False)
    for shown in [cards] if console.width >= SIDE_BY_SIDE else [(card,) for card in cards]:
        console.print(_table(shown))
    console.print(
        "These times include the profiler's own overhead, and use as many threads as there are cores: read "
        "the shares. `breakeven table` has the measured latencies.",
        markup=False,
    )
    for card in cards:
        spent = shares(card.executed())
        console.print(f"{card.variant}: {describe(spent) or card.kernels_reason}", markup=False)
        for title, text in fusion.execution_details(baseline, card).items():
            console.print(f"{card.variant}: {title}: {text}", markup=False)
        if fallback_kernels := fallbacks(card.precision, card.executed()):
            text = ", ".join(
                f"{kernel.calls:g} {kernel.operator} in {kernel.precision}" for kernel in fallback_kernels
            )
            console.print(f"{card.variant}: not in {card.precision}: {text}", markup=False)
        if fault := precision_mismatch(card.precision, spent):
            console.print(f"{card.variant}: {fault}", style="yellow", markup=False)


def _table(cards: Sequence[Artifact]) -> Table:
    """Return a table of the operators of each variant, side by side."""
    table = Table(box=box.SIMPLE_HEAD)
    for card in cards:
        table.add_column(card.variant, overflow="fold")
        table.add_column("calls", justify="right")
        table.add_column("in")
        table.add_column("ms", justify="right")
        table.add_column("share", justify="right")
    sides = [_lines(card) for card in cards]
    for row in zip_longest(*sides, fillvalue=("",) * 5):
        table.add_row(*(cell for side in row for cell in side))
    table.add_section()
    totals = [("all", "", "", f"{sum(k.ms for k in card.executed()):.4f}", "") for card in cards]
    table.add_row(*(cell for side in totals for cell in side))
    return table


def _lines(card: Artifact) -> list[Sequence[str]]:
    """Return a row for each operator, and one row for the operators after `MAX_OPERATORS`."""
    kernels = card.executed()
    total = sum(kernel.ms for kernel in kernels) or 1.0
    top_kernels = kernels[:MAX_OPERATORS]
    if rest := kernels[MAX_OPERATORS:]:
        top_kernels.append(
            OperatorTime(f"{len(rest)} more", "", sum(k.ms for k in rest), sum(k.calls for k in rest))
        )
    return [
        (k.operator, f"{k.calls:g}", k.precision, f"{k.ms:.4f}", f"{k.ms / total:.1%}") for k in top_kernels
    ]
