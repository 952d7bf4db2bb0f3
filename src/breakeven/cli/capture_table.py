"""The tables of `breakeven capture`: one model in all ways, or many models in all ways."""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.capture.outcome import SIGNS, Outcome
from breakeven.capture.way import load
from breakeven.report.terminal_table import paragraph

COLOURS = {"right": "green", "pieces": "cyan", "refused": "yellow", "wrong": "red", "crash": "red"}


def show_one(outcomes: Sequence[Outcome]) -> None:
    """Print a line for each way, and below it why it is not right, and what to write instead."""
    console = Console(highlight=False, markup=False)
    console.print(Text(outcomes[0].model, "bold"))
    width = max(len(load(each.way).title) for each in outcomes)
    for each in outcomes:
        colour = COLOURS.get(each.kind, "")
        console.print(Text(f"  {load(each.way).title:{width}}  ").append(each.title, colour))
        for sentence in explained(each):
            console.print(Text(paragraph(console, f"  {sentence}"), "dim"))
    console.print()


def explained(outcome: Outcome) -> list[str]:
    """Return the sentences about an outcome that is not simply right."""
    found = []
    if outcome.reason:
        where = f" (probe: {outcome.probe})" if outcome.probe else ""
        number = f" ({outcome.registry} of Dynamo's registry)" if outcome.registry else ""
        found.append(f"{outcome.reason[0].upper()}{outcome.reason[1:]}{number}{where}.")
    found += [f"Break: {each.kind}{f', at {each.line}' if each.line else ''}." for each in outcome.breaks]
    if outcome.line:
        found.append(f"Line: {outcome.line}")
    if outcome.advice:
        found.append(f"Instead: {outcome.advice}.")
    return [*found, *(f"{note[0].upper()}{note[1:].rstrip('.!')}." for note in outcome.notes)]


def show_many(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each model, with a sign for each way, and how often each outcome came."""
    console = Console(highlight=False, markup=False)
    ways = list(dict.fromkeys(each.way for each in outcomes))
    of = {(each.model, each.way): each for each in outcomes}
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("model", no_wrap=True)
    for number, _ in enumerate(ways, 1):
        table.add_column(str(number), justify="center")
    for model in dict.fromkeys(each.model for each in outcomes):
        found = [of.get((model, name)) for name in ways]
        table.add_row(model, *(_sign(each) if each else Text("") for each in found))
    console.print(table)
    for number, name in enumerate(ways, 1):
        counts = Counter(each.kind for each in outcomes if each.way == name)
        told = ", ".join(f"{count} {SIGNS[kind][1]}" for kind, count in counts.most_common())
        console.print(Text(paragraph(console, f"{number} {load(name).title}: {told}.")))
    legend = ", ".join(f"{sign} {words}" for sign, words in SIGNS.values())
    console.print(Text(paragraph(console, f"{legend}."), "dim"))


def _sign(outcome: Outcome) -> Text:
    return Text(SIGNS[outcome.kind][0], COLOURS.get(outcome.kind, ""))
