"""The page of the study of captures: what each way makes of idioms, torch's own cases, and real models."""

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from breakeven.capture import page_literature, page_tables
from breakeven.capture.costs import chart as cost_chart
from breakeven.capture.costs import tables as cost_tables
from breakeven.capture.costs.pieces import Figures, of_kind
from breakeven.capture.matrix import matrix
from breakeven.capture.outcome import Outcome
from breakeven.core.files import write_text
from breakeven.report import static_svg

COLUMNS = ("collection", "model", "way", "outcome", "probe", "reason", "line", "registry", "advice", "graphs")
INTRODUCTION = """\
# Who captures a model, and who is silently wrong

{findings}

Each model was captured in each way, in a process of its own. Its graph was called with the captured input,
the same again, other values, and another batch size ([what the outcomes mean](../capture.md#the-outcomes)).
"Silently wrong" raises no error and gives something else than the model; some tools warn. `fullgraph=True`
makes several graphs only where hooks, or parts that torch compiles apart, stand around the model.
torch {torch}, torchvision {torchvision}, timm {timm}, transformers {transformers}.
`{command}` makes this page again. All outcomes with their reasons: [CSV]({csv}).
"""
TITLES = {
    "idioms": "Idioms: small models, one idea each",
    "rewrites": "The same ideas, written so that tools can capture them",
    "torch-examples": "The cases that torch keeps for torch.export",
    "zoo": "Real models with random weights",
}


def write(
    page: Path,
    collections: Mapping[str, Sequence[Outcome]],
    costs: Mapping[str, Figures],
    sentences: Sequence[str],
    command: str,
) -> list[Path]:
    """Write the page, a CSV file, a picture for each small collection, and one of costs; return their paths.

    Args:
        costs: the figures of `costs.pieces`; empty if they were not measured.
        sentences: what was found, the most useful first.
        command: what makes the page again.
    """
    flat = page.with_suffix(".csv")
    written = [page, flat]
    write_text(flat, _csv(collections))
    versions = {name: version(name) for name in ("torch", "torchvision", "timm", "transformers")}
    findings = "\n".join(f"- {sentence}" for sentence in sentences)
    parts = [INTRODUCTION.format(**versions, findings=findings, command=command, csv=flat.name)]
    for name, outcomes in collections.items():
        parts.append(f"## {TITLES[name]}\n")
        parts.append(page_tables.counts(outcomes))
        if name != "zoo":
            picture = page.with_name(f"{page.stem}_{name.replace('-', '_')}.svg")
            static_svg.write_chart(picture, matrix(outcomes, TITLES[name]))
            written.append(picture)
            parts.append(f"![{TITLES[name]}]({picture.name})\n")
        parts.append(page_tables.wrong_cells(outcomes))
        parts.append(page_tables.refusals(outcomes))
        if name == "idioms":
            parts.append(page_tables.remedies(outcomes, collections.get("rewrites", ())))
            parts.append(page_literature.snippets(outcomes))
        if name == "torch-examples":
            parts.append(page_tables.beside_upstream(outcomes))
        if name == "zoo":
            parts.append(page_literature.published(outcomes))
    if costs:
        picture = page.with_name(f"{page.stem}_breaks.svg")
        chart = cost_chart.added(of_kind(costs, "breaks"))
        static_svg.write_chart(picture, chart)
        written.append(picture)
        parts += ["## What it costs at each call\n", f"![{chart.title}]({picture.name})\n"]
        parts += cost_tables.sections(costs)
    parts.append(page_literature.gone())
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
