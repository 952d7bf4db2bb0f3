"""Print the results as a table, the fastest variant first."""

from argparse import ArgumentParser, Namespace

GROUP = "decide"
EXAMPLE = "breakeven table --against none/fp32/onnxruntime"


def arguments(parser: ArgumentParser) -> None:
    """Add the options that select rows, the base of the speedups, and the forms of the table."""
    parser.add_argument("--family", help="a key of `families` in params.yaml; default: every family")
    parser.add_argument("--hardware", help="a key of `hardware` in params.yaml; default: all")
    parser.add_argument(
        "--against",
        metavar="VARIANT",
        help="compare all variants with this one instead of the baseline: all ran in the same rounds",
    )
    parser.add_argument("--wide", action="store_true", help="print all columns, however wide the terminal is")
    parser.add_argument("--csv", metavar="FILE", help="also write all columns of the rows to a CSV file")
    parser.add_argument("--json", metavar="FILE", help="also write all columns of the rows to a JSON file")


def run(chosen: Namespace) -> None:
    """Print the table that the stage `report` printed, or the one against another variant.

    Raises:
        UserError: the variant, family or hardware was not measured.
    """
    from pathlib import Path

    from breakeven.cli.selection import require_known
    from breakeven.config import lock_check, schema
    from breakeven.core.files import write_json
    from breakeven.report import terminal_table
    from breakeven.results import pairs, study_results, summary
    from breakeven.results.columns import column_names
    from breakeven.results.limits import Limits

    study = schema.read_study()
    require_known(chosen, study)
    lock_check.require_current(study)
    benchmarks = study_results.read_results(study).benchmarks
    limits = Limits.of(study)
    rows = summary.rows(benchmarks, limits)
    if chosen.against:
        rows = pairs.against(chosen.against, benchmarks, rows)
        print(f"Speedups over {chosen.against}. Changes of accuracy are from the baseline.\n")
    rows = [
        row for row in rows if chosen.family in (None, row.family) and chosen.hardware in (None, row.hardware)
    ]
    if chosen.csv:
        summary.write_summary(Path(chosen.csv), rows)
    if chosen.json:
        write_json(Path(chosen.json), [{name: getattr(row, name) for name in column_names()} for row in rows])
    terminal_table.show(benchmarks, rows, chosen.wide, limits)
