"""The text of `breakeven recommend`: the choice, the reason, and the nearest trade-offs."""

from collections.abc import Sequence

from rich.console import Console

from breakeven.report.row_text import change, interval, number
from breakeven.results.recommend import UNMEASURED_VERDICTS, Choice, Limits
from breakeven.results.result_row import ResultRow, folder_of, title

MAX_ALTERNATIVES = 4  # most trade-offs to print


def show(rows: Sequence[ResultRow], choice: Choice, limits: Limits, decides: float) -> None:
    """Print the variant that was chosen among `rows`.

    Args:
        rows: the rows of one family on one hardware in one scenario.
        choice: the variant, or the reason why there is none.
        limits: the limits that the variant has to keep.
        decides: the smallest drop in accuracy that the test set can rule out, in percentage points.
    """
    console = Console(highlight=False, markup=False, soft_wrap=True)
    heading = f"{rows[0].family} on {title(rows[0])}"
    if not (best := choice.best):
        hints = f" ({', or '.join(choice.relaxed)})" if choice.relaxed else ""
        console.print(f"{heading}: no recommendation: {choice.reason}{hints}.", style="bold")
    else:
        console.print(f"{heading}: {best.variant}", style="bold")
        console.print(f"  {figures(best)}")
        console.print(f"  Because {choice.reason}.")
        if choice.over_fp32:
            console.print(f"  {choice.over_fp32}.")
        if choice.ties:
            console.print(f"  May be as fast: {', '.join(choice.ties)}.")
        if choice.unsettled:
            rough = ", ".join(choice.unsettled)
            console.print(f"  Looks slower, but was measured too roughly to tell: {rough}.")
        console.print(f"  Its files: {folder_of(best)}")
        alternatives = [row for row in neighbours(rows, best) if not limits.broken(row)][:MAX_ALTERNATIVES]
        if alternatives:
            console.print("  Next to it:")
        for row in alternatives:
            console.print(f"    {row.variant}: {figures(row)}")
    if limits.max_accuracy_drop is not None and decides > limits.max_accuracy_drop and not limits.by_estimate:
        console.print(
            f"  The test set is too small to rule out a drop of less than {decides:.2g} points: "
            "--by-estimate holds the limits at the estimates."
        )


def show_warnings(warnings: Sequence[str]) -> None:
    """Print the warnings on the measurements that a recommendation rests on."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for warning in warnings:
        console.print(f"  Warning: {warning}.", style="yellow")


def neighbours(rows: Sequence[ResultRow], best: ResultRow) -> list[ResultRow]:
    """Return other measured variants on the Pareto front, which beat `best` somehow; fastest first."""
    able = [
        row
        for row in rows
        if row.verdict not in UNMEASURED_VERDICTS and row.pareto and row.variant != best.variant
    ]
    return sorted(able, key=lambda row: -(row.speedup or 0.0))


def figures(row: ResultRow) -> str:
    """Return the speedup, latency, accuracy and size of a row in one line."""
    gain = f"{row.speedup:.2f}x ({interval(row)})" if row.speedup_ci_low else "the baseline"
    lost = f", {change(row)} points" if change(row) else ""
    return (
        f"{gain}, p50 {number(row.latency_ms_p50, '.3f')} ms, accuracy {number(row.accuracy, '.2%')}{lost}, "
        f"{number(row.artifact_mb, '.2f')} MB"
    )
