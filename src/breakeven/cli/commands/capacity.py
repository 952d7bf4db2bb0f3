"""Measure what a service makes of a speedup: how fast it answers one caller, and how many requests a second.

It serves the baseline and another variant in turn on one core, and sends requests from another core. Nothing
else may run meanwhile.
"""

from argparse import ArgumentParser, Namespace

from breakeven.core.errors import Unsupported, UserError

GROUP = "measure"
EXAMPLE = "breakeven capacity cnn --limit-ms 10"


def arguments(parser: ArgumentParser) -> None:
    """Add the family, the variant, and how long to measure."""
    from breakeven.cli.numbers import above_zero, at_least_two, whole

    add = parser.add_argument
    add("family", metavar="FAMILY", help="a family of the study")
    add("--variant", metavar="VARIANT", help="beside the baseline; default: the recommended one")
    add("--hardware", metavar="NAME", help="of the study; default: the first")
    add(
        "--limit-ms",
        type=above_zero,
        metavar="MS",
        help="on the 99th percentile; default: the least of 10, 20, 50, 100 ... that the baseline keeps",
    )
    add("--seconds", type=above_zero, default=3.0, metavar="S", help="of a block of load; default: 3")
    add("--rounds", type=at_least_two, default=8, metavar="N", help="of one caller; default: 8")
    add("--replicates", type=at_least_two, default=5, metavar="N", help="blocks for each rate; default: 5")
    add("--max-batch", type=whole, default=1, metavar="N", help="samples in a call; default: 1")


def run(chosen: Namespace) -> None:
    """Measure, print what was found, and add it to the report and to MLflow.

    Raises:
        UserError: there is no such variant, or there are fewer than two cores.
    """
    from breakeven.cli import served_table
    from breakeven.cli.selection import require_known
    from breakeven.config import schema
    from breakeven.report import extra_sections
    from breakeven.serving.capacity import findings, log
    from breakeven.serving.capacity.measure import Plan
    from breakeven.serving.capacity.study import served_record

    study = schema.read_study()
    require_known(Namespace(family=chosen.family, hardware=chosen.hardware), study)
    hardware = chosen.hardware or next(iter(study.hardware))
    plan = Plan(chosen.seconds, rounds=chosen.rounds, replicates=chosen.replicates, limit_ms=chosen.limit_ms)
    try:
        record = served_record(study, chosen.family, hardware, chosen.variant or "", plan, chosen.max_batch)
    except Unsupported as error:
        raise UserError(f"{chosen.family} on {hardware}: {error}.") from None
    section = findings.section(record)
    served_table.show(record, section.sentences)
    extra_sections.save(section)
    log.log_served(record)
    print("The next `dvc repro` adds a section to results/report.html.")
