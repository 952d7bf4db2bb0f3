"""Print the table of the last results."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven table | less -S"


def arguments(parser: ArgumentParser) -> None:
    """None."""


def run(chosen: Namespace) -> None:
    """Print what the report stage printed."""
    from breakeven import config, locked, records
    from breakeven.recommend import Limits
    from breakeven.report import summary, table

    study = config.read()
    locked.require_current(study)
    found = records.read(study)
    table.show(found.benchmarks, summary.rows(found.benchmarks, Limits.of(study)))
