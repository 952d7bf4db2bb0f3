"""Print where time goes: in a family before anything is optimized, in a variant, or between two variants."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from breakeven.core.errors import UserError

if TYPE_CHECKING:
    from breakeven.artifacts.artifact import Artifact
    from breakeven.config.study import Study

GROUP = "understand"
EXAMPLE = "breakeven why none/fp32/onnxruntime none/int8-static/onnxruntime --family cnn"


def arguments(parser: ArgumentParser) -> None:
    """Add what is asked about, the family, the hardware, and the passes."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a family: what its time is spent in, and what can be gained at most. A variant as in the table "
        "(none/int8-static/onnxruntime): the operators it executes. Two variants: why the second takes "
        "another time, measured now",
    )
    parser.add_argument("--family", help="a key of `families` in params.yaml; default: every family")
    parser.add_argument(
        "--hardware",
        help="a key of `hardware` in params.yaml; default: the first for two variants, each for a family",
    )
    parser.add_argument(
        "--fusion",
        action="store_true",
        help="without a name: measure from which size of a tensor on one kernel for two pointwise operations "
        "pays on this processor",
    )
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
    """Print the profile, the operators, the passes, or the parts of a difference.

    Raises:
        UserError: a family, a variant, a hardware or a pass is unknown, or a variant runs in no family.
    """
    if chosen.fusion:
        _fusion(chosen)
        return
    from breakeven.cli import profile_table
    from breakeven.cli.selection import require_known
    from breakeven.config import lock_check, schema

    study = schema.read_study()
    require_known(chosen, study)
    if len(chosen.names) not in (1, 2):
        given = f"{len(chosen.names)} names are given" if chosen.names else "No name is given"
        raise UserError(f"{given}: give one family, one variant or two variants.")
    lock_check.require_current(study)
    if len(chosen.names) == 1 and chosen.names[0] in study.families:
        if chosen.passes or chosen.rung or chosen.family:
            raise UserError(f"{chosen.names[0]} is a family: --family, --passes and --pass are for variants.")
        profile_table.show_family(study, chosen.names[0], chosen.hardware)
        return
    if len(chosen.names) == 2 and (chosen.passes or chosen.rung):
        raise UserError("--passes and --pass are about one variant: two are given.")
    if len(chosen.names) == 1 and chosen.hardware:
        raise UserError("--hardware is for a family, or for two variants: one variant is given.")
    families = list(study.families) if chosen.family is None else [chosen.family]
    missing = [reason for name in families if (reason := _show(study, name, chosen))]
    if len(missing) == len(families):
        raise UserError("\n".join(missing))
    for sentence in missing:
        print(sentence)


def _fusion(chosen: Namespace) -> None:
    """Print what the fusion of two pointwise operations gains."""
    from breakeven.cli import fusion_table

    if chosen.names:
        raise UserError("--fusion is about this processor, not about a model: leave the name out.")
    fusion_table.show(chosen.max_seconds)


def _show(study: "Study", family: str, chosen: Namespace) -> str:
    """Print what is known of the variants in one family; return why they cannot run there, or ""."""
    from breakeven.artifacts import artifact, variants
    from breakeven.cli import operator_table, profile_table
    from breakeven.core.plugin import did_you_mean

    cards = {variant: card for variant, (_, card) in variants.read_variants(family).items()}
    for name in chosen.names:
        if name not in cards:
            raise UserError(f"{family}: {name}: {did_you_mean(name, [*cards, *study.families])}")
        if cards[name].status != "ok":  # the variant may run in another family
            return f"{family}: {name} is {cards[name].status}: {cards[name].reason}."
    if len(chosen.names) == 2:
        profile_table.show_difference(
            study, family, chosen.hardware or next(iter(study.hardware)), chosen.names
        )
    elif chosen.passes or chosen.rung:
        _passes(study, cards[chosen.names[0]], chosen)
    else:
        operator_table.show(cards[chosen.names[0]], cards[artifact.BASELINE])
    return ""


def _passes(study: "Study", card: "Artifact", chosen: Namespace) -> None:
    """Print what each pass of the runtime's compiler is worth, or what one of them changes in the graph."""
    from breakeven.artifacts.family_example import require_trained
    from breakeven.cli import pass_table
    from breakeven.core.plugin import did_you_mean
    from breakeven.diagnosis import family_ladder, ladder
    from breakeven.report import extra_sections, ladder_section
    from breakeven.results.explain_record import explained
    from breakeven.tracking import ladder_runs

    data, runtime = study.families[card.family].data, study.runtimes[card.runtime]["name"]
    if (card.recipe, card.precision) != ("none", "fp32") or runtime not in ladder.names():
        raise UserError(f"{card.variant}: {family_ladder.only()}.")
    own = ladder.load(runtime)
    if chosen.rung and chosen.rung not in (known := [rung.name for rung in own.rungs]):
        raise UserError(f"--pass {chosen.rung}: {did_you_mean(chosen.rung, known)}")
    require_trained(card.family)
    folder = family_ladder.folder(card.family, runtime)
    if chosen.rung:
        pass_table.show_change(family_ladder.change(card.family, data, runtime, chosen.rung))
        return
    record = family_ladder.climb_family(card.family, data, runtime, chosen.max_seconds)
    pass_table.show(f"{card.family}: the passes of {own.title}, one input a call", record.climbed)
    files = pass_table.write_graphs(record.climbed, folder)
    extra_sections.save(ladder_section.section(record))
    ladder_runs.log(record, [folder / file for file in files])
    print(f"The graphs: {folder}/ ({', '.join(files)}); --pass NAME prints what one changes.")
    if record.name in {each.ladder.name for each in explained(study) if each.ladder and each.ladder.climbed}:
        print("results/report.html keeps the ladder that `dvc repro` measured; MLflow has a run of this one.")
    else:
        print("The next `dvc repro` adds a section to results/report.html; MLflow has a run.")
