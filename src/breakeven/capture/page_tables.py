"""The sections of the page of captures that hold tables of outcomes."""

import importlib
from collections import Counter
from collections.abc import Sequence

from breakeven.capture import targets, way
from breakeven.capture.outcome import SIGNS, Outcome
from breakeven.capture.shares import CONFIDENCE, JUDGED, shares
from breakeven.report.markdown import table

REASON = 90  # letters of a reason: what follows names the model
UPSTREAM = ("export_strict", "export_nonstrict")  # what torch's own remarks on its cases are about


def _folded(title: str, text: str) -> str:
    """Return text that a reader opens by a click on its title."""
    return "\n".join(
        ['<details markdown="1">', f"<summary>{title}</summary>", "", text, "", "</details>", ""]
    )


def counts(outcomes: Sequence[Outcome]) -> str:
    """Return how many models have each outcome in each way, with intervals."""
    models = {each.model for each in outcomes}
    unjudged = sorted({each.model for each in outcomes if each.kind == "random"})
    titles = ["way", "models", *(SIGNS[kind][1] for kind in JUDGED)]
    lines = [f"| {' | '.join(titles)} |", f"|---|{'---:|' * (1 + len(JUDGED))}"]
    by_way = shares(outcomes)
    for name, found in by_way.items():
        lines.append(f"| {way.load(name).title} | {found[0].total} | {' | '.join(map(str, found))} |")
    left_out = f" Not counted, since they are not repeatable: {', '.join(unjudged)}." if unjudged else ""
    said = f"{len(models)} models. In parentheses: the share, and its interval of {CONFIDENCE:.0%}.{left_out}"
    if len({found[0].total for found in by_way.values()}) > 1:
        said += " Ways that compile were tried with few models: do not compare them with the others."
    return "\n".join([said, "", *lines, ""])


def wrong_cells(outcomes: Sequence[Outcome]) -> str:
    """Return the cells that are silently wrong, crash or hang, with the input that shows it; "" for none."""
    wrong = [each for each in outcomes if each.kind in ("wrong", "crash")]
    if not wrong:
        return ""
    lines = []
    for each in wrong:
        what = f"{SIGNS[each.kind][1]}: {each.reason}".replace("|", "\\|")
        lines.append([each.model, way.load(each.way).title, what, each.probe])
    header = ["model", "way", "what happens", "input that shows it"]
    title = f"The {len(wrong)} cells that are silently wrong, crash or hang"
    return _folded(title, table(header, lines, left=4))


def refusals(outcomes: Sequence[Outcome]) -> str:
    """Return the commonest reason for which each way refuses models; "" if none does."""
    lines = []
    for name in dict.fromkeys(each.way for each in outcomes):
        refused = [each for each in outcomes if (each.way, each.kind) == (name, "refused")]
        reasons = Counter(each.reason[:REASON] for each in refused)
        if reasons:
            reason, count = reasons.most_common(1)[0]
            of = f"{count} of {reasons.total()}"
            lines.append([way.load(name).title, of, f"`{reason}`".replace("|", "\\|")])
    title = "Why each way refuses, most often"
    return _folded(title, table(["way", "refused", "what it says"], lines, left=3)) if lines else ""


def remedies(outcomes: Sequence[Outcome], rewritten: Sequence[Outcome]) -> str:
    """Return what each idiom is, what to write instead, and in how many ways the rewrite is right.

    Args:
        rewritten: the outcomes of the rewrites.
    """
    lines = []
    for name in dict.fromkeys(each.model for each in outcomes):
        before, after = ([each for each in found if each.model == name] for found in (outcomes, rewritten))
        if after:
            idiom = importlib.import_module(f"{targets.IDIOMS}.{name}")
            lines.append([f"`{name}`", _first_line(idiom), idiom.ADVICE, _right(before), _right(after)])
    header = ["idiom", "what it is", "write instead", "right before, of ways", "after"]
    return _folded("What to write instead of each idiom", table(header, lines, left=3)) if lines else ""


def _first_line(module: object) -> str:
    return str(module.__doc__).partition("\n")[0].rstrip(".").replace("|", "\\|")


def _right(outcomes: Sequence[Outcome]) -> str:
    return f"{sum(each.kind in ('right', 'pieces') for each in outcomes)} of {len(outcomes)}"


def beside_upstream(outcomes: Sequence[Outcome]) -> str:
    """Return what torch itself says of each of its cases, beside what both ways of torch.export do."""
    said = targets.said_of_torch_examples()
    by_cell = {(each.model, each.way): each for each in outcomes}
    lines = [
        [f"`{name}`", said[name], *(in_short(by_cell.get((name, each))) for each in UPSTREAM)]
        for name in dict.fromkeys(each.model for each in outcomes)
        if name in said
    ]
    header = ["case", "torch says", *(way.load(name).title for name in UPSTREAM)]
    return _folded("Beside what torch says of each case", table(header, lines, left=4)) if lines else ""


def in_short(outcome: Outcome | None) -> str:
    """Return an outcome in a few words, with the input that shows it."""
    if outcome is None:
        return "not tried"
    return f"{outcome.title}{f' ({outcome.probe})' if outcome.probe else ''}"
