"""Write the last results as Markdown and CSV."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven publish docs/results/mine.md"


def arguments(parser: ArgumentParser) -> None:
    """The page."""
    parser.add_argument("page", metavar="PAGE.md", help="as docs/results/reference.md")


def run(chosen: Namespace) -> None:
    """Write the page, and the table beside it."""
    from breakeven.config import lock_check, schema
    from breakeven.core.files import write_text
    from breakeven.report import markdown, study_markdown
    from breakeven.results import study_results, summary
    from breakeven.results.recommend import Limits

    target = markdown.target_of(chosen.page)
    study = schema.read_study()
    found = study_results.read_results(study)
    lock_check.require_current(study)
    rows = summary.rows(found.benchmarks, Limits.of(study))
    write_text(target, study_markdown.render(study.study, schema.overrides(), found, rows))
    summary.write_summary(target.with_suffix(".csv"), rows)
    print(f"{target} and {target.with_suffix('.csv')}: {len(rows)} rows")
