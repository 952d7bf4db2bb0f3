"""The page of the study of captures: what each way makes of idioms, torch's own cases, and real models."""

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from breakeven.capture import way
from breakeven.capture.matrix import matrix
from breakeven.capture.outcome import SIGNS, Outcome
from breakeven.capture.shares import CONFIDENCE, shares
from breakeven.core.files import write_text
from breakeven.report import static_svg

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


def write(page: Path, collections: Mapping[str, Sequence[Outcome]], command: str) -> list[Path]:
    """Write the page, a CSV file and a picture for each small collection; return their paths."""
    table = page.with_suffix(".csv")
    written = [page, table]
    write_text(table, _csv(collections))
    versions = {name: version(name) for name in ("torch", "torchvision", "timm", "transformers")}
    parts = [INTRODUCTION.format(**versions, command=command, csv=table.name)]
    for name, outcomes in collections.items():
        parts.append(f"## {TITLES[name]}\n")
        parts.append(_shares(outcomes))
        if name != "zoo":
            picture = page.with_name(f"{page.stem}_{name.replace('-', '_')}.svg")
            static_svg.write_chart(picture, matrix(outcomes, TITLES[name]))
            written.append(picture)
            parts.append(f"![{TITLES[name]}]({picture.name})\n")
        parts.append(_wrong(outcomes))
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
    kinds = [kind for kind in SIGNS if kind != "random"]
    models = {each.model for each in outcomes}
    unjudged = sorted({each.model for each in outcomes if each.kind == "random"})
    lines = [f"| way | {' | '.join(SIGNS[kind][1] for kind in kinds)} |", f"|---|{'---:|' * len(kinds)}"]
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


def _gone() -> str:
    lines = ["| system | why not | source | published |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in GONE]
    return "\n".join(["## Systems that cannot be run here", "", *lines, ""])
