"""The last lines of `dvc repro`: what to deploy, where the report is, and what to do next."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from breakeven.core.format import wrapped
from breakeven.results.answer import CellAnswer
from breakeven.results.records import moment
from breakeven.results.result_row import title
from breakeven.results.score_text import metric_title

NEXT = "`breakeven recommend` says why, and registers the choice in MLflow."


def show(answers: Iterable[CellAnswer], report: Path) -> None:
    """Print what to deploy for each family and its score, the path of the report and the next command.

    A family that was called in several ways has one line for the first of them, which is a single stream if
    that was measured. The report has the others.
    """
    first: dict[tuple[str, str], CellAnswer] = {}
    for each in answers:
        first.setdefault((each.benchmark.family, each.benchmark.hardware), each)
    several = len({hardware for _, hardware in first}) > 1
    console = Console(highlight=False)
    for (family, _), each in first.items():
        where = f"{family} on {title(each.rows[0])}" if several else family
        console.print(Text(wrapped(f"{where}: {each.answer.headline}.", console.width, "", "  "), "bold"))
        metric = metric_title(each.rows)
        facts = [f"Its {metric}: {score}."] if (score := each.answer.facts.get(metric)) else []
        facts += [f"Careful: {doubt}." for doubt in each.answer.doubts]
        facts += [
            f"Not {other.row.variant}, {other.row.speedup:.2f}x: {other.reason}."
            for other in each.answer.candidates
            if other.role == "fastest"
        ]
        for fact in facts:
            console.print(Text(wrapped(fact, console.width, "  ", "  ")))
    when = {moment(at) for each in first.values() for at, _ in each.benchmark.measured.values()}
    console.print(Text(f"Report: {report}{f', measured {max(when)}' if when else ''}"))
    console.print(Text(wrapped(f"Next: {_activated()}{NEXT}", console.width, "", "  ")))


def _activated() -> str:
    """Return what to type first, if the environment in the project's folder is not active in the shell."""
    own = Path(sys.prefix)
    if "VIRTUAL_ENV" in os.environ or own.parent != Path.cwd():
        return ""
    return f"`source {own.name}/bin/activate`. Then "
