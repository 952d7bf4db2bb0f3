"""Print what a variant executes, beside the baseline, and what each pass of its compiler is worth.

Without --passes, nothing is measured: the operators are those of the runtimes' own profilers.
"""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from breakeven.core.errors import UserError

if TYPE_CHECKING:
    from breakeven.artifacts.artifact import Artifact

GROUP = "understand"
EXAMPLE = "breakeven why none/fp32/onnxruntime --family cnn --passes"


def arguments(parser: ArgumentParser) -> None:
    """Add the variant, the family, and the passes."""
    parser.add_argument("variant", metavar="VARIANT", help="as in the table: none/int8-static/onnxruntime")
    parser.add_argument("--family", help="a key of `families` in params.yaml; default: every family")
    passes = parser.add_argument_group("passes of the compiler (of none/fp32/... variants)")
    passes.add_argument(
        "--passes", action="store_true", help="measure what each pass gains, all of them in the same rounds"
    )
    passes.add_argument(
        "--pass", dest="rung", metavar="NAME", help="print what this pass changes in the graph"
    )
    passes.add_argument(
        "--max-seconds", type=float, default=60.0, help="to measure for, beyond compilation; default: 60"
    )


def run(chosen: Namespace) -> None:
    """Print the operators, the passes, or the change of the graph, in each family that has the variant.

    Raises:
        UserError: a family, a variant or a pass is unknown, or the variant runs in no family.
    """
    from breakeven.artifacts import artifact, variants
    from breakeven.cli import operator_table
    from breakeven.cli.selection import require_known
    from breakeven.config import lock_check, schema
    from breakeven.core.plugin import did_you_mean

    study = schema.read_study()
    require_known(chosen, study)
    lock_check.require_current(study)
    families = list(study.families) if chosen.family is None else [chosen.family]
    missing: list[str] = []
    for name in families:
        cards = {variant: card for variant, (_, card) in variants.read_variants(name).items()}
        if chosen.variant not in cards:
            raise UserError(f"{name}: {chosen.variant}: {did_you_mean(chosen.variant, cards)}")
        card = cards[chosen.variant]
        if card.status != "ok":  # the variant may run in another family
            missing.append(f"{name}: {chosen.variant} is {card.status}: {card.reason}.")
        elif chosen.passes or chosen.rung:
            _passes(card, study.families[name].data, study.runtimes[card.runtime]["name"], chosen)
        else:
            operator_table.show(card, cards[artifact.BASELINE])
    if len(missing) == len(families):
        raise UserError("\n".join(missing))
    for sentence in missing:
        print(sentence)


def _passes(card: "Artifact", data: str, runtime: str, chosen: Namespace) -> None:
    """Print what each pass of the runtime's compiler is worth, or what one of them changes in the graph."""
    from functools import partial

    from breakeven.artifacts.family_example import family_example, require_trained
    from breakeven.cli import pass_table
    from breakeven.core import paths
    from breakeven.core.plugin import did_you_mean
    from breakeven.diagnosis import climb, findings, ladder, log
    from breakeven.report import extra_sections

    if (card.recipe, card.precision) != ("none", "fp32") or runtime not in ladder.names():
        raise UserError(
            f"{card.variant}: passes can be told apart for none/fp32 in {', '.join(ladder.names())} only."
        )
    own = ladder.load(runtime)
    if chosen.rung and chosen.rung not in (known := [rung.name for rung in own.rungs]):
        raise UserError(f"--pass {chosen.rung}: {did_you_mean(chosen.rung, known)}")
    require_trained(card.family)
    make = partial(family_example, card.family, data, 1)
    folder = paths.private() / "why" / card.family / runtime
    folder.mkdir(parents=True, exist_ok=True)
    if chosen.rung:
        pass_table.show_change(climb.graphs(runtime, make, folder, own.with_below(chosen.rung)))
        return
    climbed = climb.climb(runtime, make, chosen.max_seconds, folder)
    pass_table.show(f"{card.family}: the passes of {own.title}, one input a call", climbed)
    files = pass_table.write_graphs(climbed, folder)
    section = findings.section(card.family, runtime, own.title, climbed)
    extra_sections.save(section)
    log.log(card.family, runtime, climbed, section.sentences, [folder / file for file in files])
    print(f"The graphs: {folder}/ ({', '.join(files)}); --pass NAME prints what one changes.")
    print("The next `dvc repro` adds a section to results/report.html; MLflow has a run.")
