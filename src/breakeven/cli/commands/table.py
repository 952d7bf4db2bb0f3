"""Print the table of the last results."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven table --against none/fp32/onnxruntime"


def arguments(parser: ArgumentParser) -> None:
    """Add what the variants are compared with, and the file for a spreadsheet."""
    parser.add_argument(
        "--against",
        metavar="VARIANT",
        help="compare all variants with this one, not the baseline: all were measured in the same rounds",
    )
    parser.add_argument("--csv", metavar="FILE", help="also write the rows to a CSV file")


def run(chosen: Namespace) -> None:
    """Print the table that the stage `report` printed, or the one against another variant.

    Raises:
        UserError: the variant was not measured.
    """
    from pathlib import Path

    from breakeven.config import lock_check, schema
    from breakeven.report import terminal_table
    from breakeven.results import pairs, study_results, summary
    from breakeven.results.recommend import Limits

    study = schema.read_study()
    lock_check.require_current(study)
    benchmarks = study_results.read_results(study).benchmarks
    rows = summary.rows(benchmarks, Limits.of(study))
    if chosen.against:
        rows = pairs.against(chosen.against, benchmarks, rows)
        print(f"Speedups over {chosen.against}. Changes of accuracy are from the baseline.\n")
    if chosen.csv:
        summary.write_summary(Path(chosen.csv), rows)
    terminal_table.show(benchmarks, rows)
