"""The tables of the page of captures that set it beside the literature."""

from collections.abc import Sequence

from breakeven.capture import literature, way
from breakeven.capture.outcome import Kind, Outcome
from breakeven.capture.page_tables import in_short
from breakeven.capture.shares import shares
from breakeven.plugins.tasks.base import at_start
from breakeven.report.markdown import table

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


def snippets(outcomes: Sequence[Outcome]) -> str:
    """Return the four snippets of the literature: their source, their outcomes, and what a trace keeps."""
    known = [name for name in literature.SNIPPETS if any(each.model == name for each in outcomes)]
    codes = literature.traced(known)
    parts = ["### The four snippets of the literature\n"]
    for name in known:
        told = [f"{way.load(each.way).title}: {in_short(each)}" for each in outcomes if each.model == name]
        parts += [
            f"**{at_start(literature.SNIPPETS[name])}** (`{name}`). {'; '.join(told)}.\n",
            f"```python\n{literature.source_of(name)}\n```\n",
            "What the graph of `torch.jit.trace` holds:\n",
            f"```text\n{codes[name]}\n```\n",
        ]
    return "\n".join(parts)


def published(outcomes: Sequence[Outcome]) -> str:
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


def gone() -> str:
    """Return the systems that cannot be run here, with what was published of them."""
    header = ["system", "why not", "source", "published"]
    return f"## Systems that cannot be run here\n\n{table(header, GONE, left=4)}\n"
