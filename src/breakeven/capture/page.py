"""The page of the study of captures: what each way makes of idioms, torch's own cases, and real models."""

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from breakeven.capture import literature, way
from breakeven.capture.costs import chart as cost_chart
from breakeven.capture.costs import tables as cost_tables
from breakeven.capture.costs.pieces import Figures, of_kind
from breakeven.capture.matrix import matrix
from breakeven.capture.outcome import SIGNS, Kind, Outcome
from breakeven.capture.shares import CONFIDENCE, JUDGED, shares
from breakeven.core.files import write_text
from breakeven.plugins.tasks.base import at_start
from breakeven.report import static_svg
from breakeven.report.markdown import table

COLUMNS = ("collection", "model", "way", "outcome", "probe", "reason", "line", "registry", "advice", "graphs")
INTRODUCTION = """\
# Who captures a model, and who is silently wrong

Each model was captured in each way, in a process of its own. Its graph was called with the captured input,
the same again, other values, and another batch size ([what the outcomes mean](../capture.md#the-outcomes)).
torch {torch}, torchvision {torchvision}, timm {timm}, transformers {transformers}.
`{command}` makes this page again. All outcomes with their reasons: [CSV]({csv}).
"""
TITLES = {
    "idioms": "Idioms: small models, one idea each",
    "rewrites": "The same ideas, written so that tools can capture them",
    "torch-examples": "The cases that torch keeps for torch.export",
    "zoo": "Real models with random weights",
}
# Systems of the literature that cannot be run here: why, where they were published, and what was found
GONE = (
    (
        "AutoGraph",
        "captures programs of TensorFlow",
        "Moldovan and others, MLSys 2019",
        "of the ten programs of Terra's authors, it fails on five",
    ),
    (
        "Janus",
        "captures programs of TensorFlow",
        "Jeong and others, NSDI 2019",
        "graphs for dynamic control flow, dynamic types and impure functions, by speculation",
    ),
    (
        "Terra",
        "captures programs of TensorFlow",
        "Kim and others, NeurIPS 2021",
        "all of ten programs run, and are faster: Python runs beside the graph",
    ),
    (
        "Torchy",
        "needs a PyTorch of its own",
        "Lopes, CC 2023",
        "up to 12x as fast as PyTorch in small benchmarks, up to 5x as fast as TorchScript",
    ),
    (
        "MagPy",
        "needs Python 3.9 and CUDA 11.8",
        "Zhang and others, USENIX ATC 2024",
        "93.4% of 1,191 programs of users in one graph; up to 2.88x as fast",
    ),
)


def write(
    page: Path,
    collections: Mapping[str, Sequence[Outcome]],
    costs: Mapping[str, Figures],
    command: str,
) -> list[Path]:
    """Write the page, a CSV file, a picture for each small collection, and one of costs; return their paths.

    Args:
        costs: the figures of `costs.pieces`; empty if they were not measured.
        command: what makes the page again.
    """
    flat = page.with_suffix(".csv")
    written = [page, flat]
    write_text(flat, _csv(collections))
    versions = {name: version(name) for name in ("torch", "torchvision", "timm", "transformers")}
    parts = [INTRODUCTION.format(**versions, command=command, csv=flat.name)]
    for name, outcomes in collections.items():
        parts.append(f"## {TITLES[name]}\n")
        parts.append(_shares(outcomes))
        if name != "zoo":
            picture = page.with_name(f"{page.stem}_{name.replace('-', '_')}.svg")
            static_svg.write_chart(picture, matrix(outcomes, TITLES[name]))
            written.append(picture)
            parts.append(f"![{TITLES[name]}]({picture.name})\n")
        parts.append(_wrong(outcomes))
        if name == "idioms":
            parts.append(_snippets(outcomes))
        if name == "zoo":
            parts.append(_published(outcomes))
    if costs:
        picture = page.with_name(f"{page.stem}_breaks.svg")
        chart = cost_chart.added(of_kind(costs, "breaks"))
        static_svg.write_chart(picture, chart)
        written.append(picture)
        parts += ["## What it costs at each call\n", f"![{chart.title}]({picture.name})\n"]
        parts += cost_tables.sections(costs)
    parts.append(_gone())
    write_text(page, "\n".join(filter(None, parts)))
    return written


def _csv(collections: Mapping[str, Sequence[Outcome]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, outcomes in collections.items():
        for each in outcomes:
            figures = (each.probe, each.reason, each.line, each.registry, each.advice, each.graphs or "")
            writer.writerow([name, each.model, each.way, each.title, *figures])
    return text.getvalue()


def _shares(outcomes: Sequence[Outcome]) -> str:
    models = {each.model for each in outcomes}
    unjudged = sorted({each.model for each in outcomes if each.kind == "random"})
    lines = [f"| way | {' | '.join(SIGNS[kind][1] for kind in JUDGED)} |", f"|---|{'---:|' * len(JUDGED)}"]
    for name, found in shares(outcomes).items():
        lines.append(f"| {way.load(name).title} | {' | '.join(map(str, found))} |")
    left_out = f" Not counted, since they are not repeatable: {', '.join(unjudged)}." if unjudged else ""
    said = f"{len(models)} models. In parentheses: the share, and its interval of {CONFIDENCE:.0%}.{left_out}"
    return "\n".join([said, "", *lines, ""])


def _wrong(outcomes: Sequence[Outcome]) -> str:
    wrong = [each for each in outcomes if each.kind in ("wrong", "crash")]
    if not wrong:
        return ""
    lines = ["| model | way | what happens | input that shows it |", "|---|---|---|---|"]
    for each in wrong:
        what = f"{SIGNS[each.kind][1]}: {each.reason}".replace("|", "\\|")
        lines.append(f"| {each.model} | {way.load(each.way).title} | {what} | {each.probe} |")
    heading = f"<summary>The {len(wrong)} cells that are silently wrong, crash or hang</summary>"
    return "\n".join(['<details markdown="1">', heading, "", *lines, "", "</details>", ""])


def _snippets(outcomes: Sequence[Outcome]) -> str:
    """Return the four snippets of the literature: their source, their outcomes, and what a trace keeps."""
    known = [name for name in literature.SNIPPETS if any(each.model == name for each in outcomes)]
    codes = literature.traced(known)
    parts = ["### The four snippets of the literature\n"]
    for name in known:
        told = [
            f"{way.load(each.way).title}: {each.title}{f' ({each.probe})' if each.probe else ''}"
            for each in outcomes
            if each.model == name
        ]
        parts += [
            f"**{at_start(literature.SNIPPETS[name])}** (`{name}`). {'; '.join(told)}.\n",
            f"```python\n{literature.source_of(name)}\n```\n",
            "What the graph of `torch.jit.trace` holds:\n",
            f"```python\n{codes[name]}\n```\n",
        ]
    return "\n".join(parts)


def _published(outcomes: Sequence[Outcome]) -> str:
    """Return the published shares beside those of these models."""
    ours = shares(outcomes)

    def of(name: str, wanted: Kind) -> str:
        if name not in ours:
            return "not tried"
        return str(next(each for each in ours[name] if each.kind == wanted))

    whole, script = of("dynamo_full_graph", "right"), of("jit_script", "right")
    lines = [
        ["Dynamo captures the whole program", "77% of 1,191 programs", whole],
        ["TorchScript does, by its source", "35% of 1,191 programs", script],
        ["Dynamo breaks the graph", "13.8% of 195 models", of("dynamo", "pieces")],
    ]
    return "\n".join(
        [
            "### Beside what was published\n",
            table(["claim", "published", "here"], lines, left=2),
            "\nThe first two are of Zhang and others (USENIX ATC 2024). Ours may differ. These models come",
            "from libraries that test themselves against these tools; theirs were programs of users. torch",
            "has moved on since. Here a graph has to be right for every probe, not only to exist.\n",
        ]
    )


def _gone() -> str:
    lines = ["| system | why not | source | published |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in GONE]
    return "\n".join(["## Systems that cannot be run here", "", *lines, ""])
