"""Measure what several callers of a model get through together, as threads and as processes.

It calls each uncompressed fp32 variant: who scales with threads that share it, and whose threads wait for
each other. Nothing else may run meanwhile.
"""

from argparse import ArgumentParser, Namespace

from breakeven.core.errors import Unsupported, UserError

GROUP = "measure"
EXAMPLE = "breakeven callers cnn"


def arguments(parser: ArgumentParser) -> None:
    """Add the family, the runtimes, and how often to measure."""
    from breakeven.cli.numbers import at_least_two

    add = parser.add_argument
    add("family", metavar="FAMILY", help="a family of the study")
    add("--replicates", type=at_least_two, default=4, metavar="N", help="of fresh processes; default: 4")
    add("--rounds", type=at_least_two, default=5, metavar="N", help="in each of them; default: 5")


def run(chosen: Namespace) -> None:
    """Measure, print what was found, and add it to the report and to MLflow.

    Raises:
        UserError: there is no such family, it has no variants yet, or there are fewer than two cores.
    """
    from breakeven.cli import callers_table
    from breakeven.cli.selection import require_known
    from breakeven.config import schema
    from breakeven.report import extra_sections
    from breakeven.serving.capacity import callers_findings, log
    from breakeven.serving.capacity.study import callers_record

    study = schema.read_study()
    require_known(Namespace(family=chosen.family, hardware=None), study)
    try:
        record = callers_record(study, chosen.family, chosen.replicates, chosen.rounds)
    except Unsupported as error:
        raise UserError(f"{chosen.family}: {error}.") from None
    callers_table.show(record)
    if not any(record.measured):
        return
    extra_sections.save(callers_findings.section(record))
    log.log_callers(record)
    print("The next `dvc repro` adds a section to results/report.html.")
