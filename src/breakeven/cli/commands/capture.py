"""Try every way to capture a model as a graph, and say which give what the model gives.

Each way is tried in a process of its own. Its graph is called with the example, twice, with other values, and
with another batch size. Each output is compared with the model's. Exit code 1: a way is silently wrong.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from breakeven.core.errors import UserError

if TYPE_CHECKING:
    from breakeven.capture.study import Target

GROUP = "understand"
ANYWHERE = True  # a model of one's own needs no project
EXAMPLE = "breakeven capture my_module:MyModel --shape 2,3,32,32"
COLLECTIONS = ("idioms", "rewrites", "torch-examples", "zoo")
STUDY = "study"  # all of them
COSTS = "costs"  # of graph breaks, guards, LazyTensor and changing shapes


def shape(text: str) -> tuple[int, ...]:
    """Parse a shape: 2,3,32,32."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text}: give whole numbers and commas, as 2,3,32,32") from None


def arguments(parser: ArgumentParser) -> None:
    """Add the model, what it is called with, and the ways."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a family of the study; your own model, as MODULE:CLASS or MODULE:FUNCTION; a collection: "
        f"{', '.join(COLLECTIONS)}; what capturing costs at each call: {COSTS}; or all of these: {STUDY}",
    )
    parser.add_argument(
        "--shape",
        type=shape,
        action="append",
        default=[],
        metavar="2,3,32,32",
        help="the shape of an input, filled with random numbers; once for each input",
    )
    parser.add_argument(
        "--example",
        metavar="MODULE:FUNCTION",
        help="a function that returns the inputs: a tensor, a tuple, or a mapping",
    )
    parser.add_argument(
        "--way", action="append", metavar="NAME", help="only this way; several: --way a --way b"
    )
    parser.add_argument(
        "--light",
        action="store_true",
        help=f"leave out the ways that compile, and of the {STUDY} the {COSTS}",
    )
    parser.add_argument("--again", action="store_true", help="try again what is known from an earlier run")
    parser.add_argument(
        "--page", metavar="PAGE.md", help=f"with {STUDY}: the page to write, with tables and pictures"
    )
    parser.add_argument("--json", metavar="FILE", help="also write all outcomes to a JSON file")


def run(chosen: Namespace) -> int:
    """Print the outcomes, and return 1 if one is silently wrong.

    Raises:
        UserError: there is no such model or way, or nobody says what it is called with.
    """
    from dataclasses import asdict
    from pathlib import Path

    from breakeven.capture import study, way
    from breakeven.cli import capture_table
    from breakeven.core.files import write_json

    _require_together(chosen)
    if chosen.target == COSTS:
        return _costs(again=chosen.again)
    ways = {name: way.load(name) for name in chosen.way or way.names()}
    names = [name for name, each in ways.items() if not (chosen.light and each.is_heavy)]
    collection = chosen.target in COLLECTIONS
    if chosen.target == STUDY:
        return _study(chosen, names)
    found = _collection(chosen.target) if collection else [_single(chosen)]
    if not collection:
        study.require_works(found[0])
    outcomes = list(study.outcomes(found, names, is_kept=collection, again=chosen.again))
    if chosen.json:
        write_json(Path(chosen.json), [asdict(each) for each in outcomes])
    (capture_table.show_many if collection else capture_table.show_one)(outcomes)
    return int(not collection and any(each.kind == "wrong" for each in outcomes))


def _study(chosen: Namespace, names: Sequence[str]) -> int:
    """Try all collections, measure the costs, and write the page, a section of the report, and MLflow's runs.

    Few real models are tried in the ways that compile, because each of them takes minutes.
    """
    from breakeven.capture import findings, log, page, study, way
    from breakeven.capture.costs import pieces
    from breakeven.core import paths
    from breakeven.report import extra_sections, markdown

    target = markdown.target_of(chosen.page)
    light = [name for name in names if not way.load(name).is_heavy]
    heavy = [name for name in names if name not in light]
    found = {}
    for name in COLLECTIONS:
        models = _collection(name)
        tried = list(study.outcomes(models, light, is_kept=True, again=chosen.again))
        few = [model for model in models if model.is_small] if name == "zoo" else models
        tried += study.outcomes(few, heavy, is_kept=True, again=chosen.again)
        found[name] = tried
    costs = {} if chosen.light else pieces.measured(again=chosen.again)
    flags = f"{' --light' if chosen.light else ''}{''.join(f' --way {name}' for name in chosen.way or ())}"
    section = findings.section(found, costs)
    command = f"breakeven capture {STUDY}{flags} --page {chosen.page}"
    written = page.write(target, found, costs, section.sentences, command)
    print(", ".join(map(str, written)))
    if paths.is_project():
        extra_sections.save(section)
        log.log(found, costs, written, section.sentences)
        print("The next `dvc repro` adds a section to results/report.html.")
    return 0


def _costs(*, again: bool) -> int:
    """Measure what capturing costs at each call, and print it."""
    from rich.console import Console
    from rich.markdown import Markdown

    from breakeven.capture.costs import pieces, tables

    Console().print(Markdown("\n".join(tables.sections(pieces.measured(again=again)))))
    return 0


def _require_together(chosen: Namespace) -> None:
    """Raise a UserError if an option does not go with the target."""
    if chosen.target == STUDY and not chosen.page:
        raise UserError(f"{STUDY}: say where the page goes: --page docs/results/capture.md.")
    if chosen.target != STUDY and chosen.page:
        raise UserError(f"--page is for {STUDY}; for other models, --json writes the outcomes to a file.")
    if chosen.target in (STUDY, COSTS) and chosen.json:
        raise UserError(f"--json is not for {chosen.target}: the page of {STUDY} has a CSV file beside it.")
    if chosen.target == COSTS and (chosen.way or chosen.light):
        raise UserError(f"--way and --light are not for {COSTS}.")


def _collection(name: str) -> "list[Target]":
    from breakeven.capture import targets, zoo

    return {
        "zoo": zoo.targets,
        "idioms": targets.idioms,
        "rewrites": targets.rewrites,
        "torch-examples": targets.torch_examples,
    }[name]()


def _single(chosen: Namespace) -> "Target":
    """Return the family or the user's own model that the command names."""
    from breakeven.capture import targets
    from breakeven.config import schema
    from breakeven.core import paths
    from breakeven.core.plugin import did_you_mean

    if ":" in chosen.target:
        return targets.own(chosen.target, chosen.shape, chosen.example)
    if chosen.shape or chosen.example:
        raise UserError("--shape and --example are for a model of your own: write it as MODULE:CLASS.")
    paths.require_project()
    families = schema.read_study().families
    if chosen.target not in families:
        raise UserError(
            f"{chosen.target}: {did_you_mean(chosen.target, [*families, *COLLECTIONS, COSTS, STUDY])}"
        )
    return targets.family(chosen.target, families[chosen.target].data)
