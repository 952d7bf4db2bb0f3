"""Print the table of the last results."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven table | less -S"


def arguments(parser: ArgumentParser) -> None:
    """Add no options."""


def run(chosen: Namespace) -> None:
    """Print the table that the stage `report` printed."""
    from breakeven.config import lock_check, schema
    from breakeven.report import terminal_table
    from breakeven.results import study_results, summary
    from breakeven.results.recommend import Limits

    study = schema.read_study()
    lock_check.require_current(study)
    study_records = study_results.read_results(study)
    terminal_table.show(study_records.benchmarks, summary.rows(study_records.benchmarks, Limits.of(study)))
