"""The text of `breakeven recommend`: the answer, the variants to choose from, and the warnings."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from breakeven.report.row_text import number
from breakeven.report.terminal_table import paragraph
from breakeven.results.answer import Candidate, CellAnswer
from breakeven.results.limits import Limits
from breakeven.results.result_row import folder_of, title
from breakeven.results.score_text import metric_title, score_text

WITH_REASONS = 110  # columns of a terminal in which the table has room for reasons


def show(cell_answer: CellAnswer, limits: Limits, decides: float, warnings: Sequence[str]) -> None:
    """Print the answer for one family on one hardware in one scenario.

    Args:
        limits: the limits that the variant has to keep.
        decides: the smallest drop in accuracy that the test set can rule out, in percentage points.
        warnings: those on the measurements that the answer rests on.
    """
    console = Console(highlight=False, markup=False)
    answer, choice, rows = cell_answer.answer, cell_answer.choice, cell_answer.rows
    console.print(Text(f"{rows[0].family} on {title(rows[0])}", "bold"))
    console.print(Text(paragraph(console, f"{answer.headline}."), "bold"))
    doubts = {"but": "; ".join(answer.doubts)} if answer.doubts else {}
    console.print(Padding(_facts({**answer.facts, **doubts}), (0, 0, 0, 2)))
    if len(answer.candidates) > 1:
        is_wide = console.width >= WITH_REASONS
        console.print(Padding(_candidates(answer.candidates, is_wide), (0, 0, 0, 2)))
        for candidate in answer.candidates:
            is_told = any(candidate.row.variant in doubt for doubt in answer.doubts)
            if candidate.reason and not is_wide and not is_told:
                console.print(
                    Text(paragraph(console, f"Why not {candidate.row.variant}: {candidate.reason}."))
                )
    too_small = limits.max_accuracy_drop is not None and decides > limits.max_accuracy_drop
    if too_small and rows[0].metric == "accuracy" and not limits.by_estimate:
        sentence = (
            f"The test set is too small to rule out a drop of less than {decides:.2g} points: "
            "--by-estimate holds the limits at the estimates."
        )
        console.print(Text(paragraph(console, sentence)))
    for warning in warnings:
        console.print(Text(paragraph(console, f"Warning: {warning}."), "yellow"))
    if choice.best:
        console.print(f"  Its files: {folder_of(choice.best)}", soft_wrap=True)
        console.print(f'  Load them: breakeven.load_variant("...", threads={choice.best.threads})')
    console.print()


def _facts(facts: Mapping[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for label, fact in facts.items():
        table.add_row(label, fact)
    return table


def _candidates(candidates: Sequence[Candidate], has_reasons: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    metric = metric_title(candidate.row for candidate in candidates)
    for name in ("", "variant", "speedup", metric, "MB", *(["why not"] if has_reasons else [])):
        right = name in ("speedup", metric, "MB")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "why not")
    for candidate in candidates:
        row = candidate.row
        table.add_row(
            candidate.role,
            row.variant,
            number(row.speedup, ".2f", "x"),
            score_text(row),
            number(row.artifact_mb, ".2f"),
            *([candidate.reason] if has_reasons else []),
        )
    return table
