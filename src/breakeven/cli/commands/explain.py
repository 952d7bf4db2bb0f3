"""Print the operators that a variant executes, beside the baseline's."""

from argparse import ArgumentParser, Namespace

from breakeven.core.errors import UserError

GROUP = "understand"
EXAMPLE = "breakeven explain none/int8-static/onnxruntime --family cnn"


def arguments(parser: ArgumentParser) -> None:
    """Add the variant and the family."""
    parser.add_argument("variant", metavar="VARIANT", help="as in the table: none/int8-static/onnxruntime")
    parser.add_argument("--family", help="a key of `families` in params.yaml; default: every family")


def run(chosen: Namespace) -> None:
    """Print the operators of the variant in each family that has it.

    Raises:
        UserError: a family or a variant is unknown, or the variant runs in no family.
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
        if card.status == "ok":
            operator_table.show(card, cards[artifact.BASELINE])
        else:  # the variant may run in another family
            missing.append(f"{name}: {chosen.variant} is {card.status}: {card.reason}.")
    if len(missing) == len(families):
        raise UserError("\n".join(missing))
    for sentence in missing:
        print(sentence)
