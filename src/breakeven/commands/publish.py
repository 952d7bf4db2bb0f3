"""Write the last results as Markdown and CSV."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven publish docs/results/mine.md"


def arguments(parser: ArgumentParser) -> None:
    """The page."""
    parser.add_argument("page", metavar="PAGE.md", help="as docs/results/reference.md")


def run(chosen: Namespace) -> None:
    """Write the page, and the table beside it."""
    from breakeven import config, locked, records
    from breakeven.files import write_text
    from breakeven.recommend import Limits
    from breakeven.report import markdown, page, summary

    target = markdown.target_of(chosen.page)
    study = config.read()
    found = records.read(study)
    locked.require_current(study)
    rows = summary.rows(found.benchmarks, Limits.of(study))
    write_text(target, page.render(study.study, config.overrides(), found, rows))
    summary.write(target.with_suffix(".csv"), rows)
    print(f"{target} and {target.with_suffix('.csv')}: {len(rows)} rows")
