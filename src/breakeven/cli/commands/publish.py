"""Write the last results as Markdown and CSV."""

from argparse import ArgumentParser, Namespace

GROUP = "understand"
EXAMPLE = "breakeven publish docs/results/mine.md"
ANYWHERE = True  # it asks for a project itself, after it has asked for a clean tree


def arguments(parser: ArgumentParser) -> None:
    """Add the page."""
    parser.add_argument("page", metavar="PAGE.md", help="as docs/results/reference.md")
    parser.add_argument(
        "--allow-dirty", action="store_true", help="also with changes that are not committed, besides results"
    )


def run(chosen: Namespace) -> None:
    """Write the page, and a CSV table beside it.

    Raises:
        UserError: the working tree has changes, or the results belong to other settings.
    """
    from breakeven.config import lock_check, schema
    from breakeven.core import git, paths
    from breakeven.core.errors import UserError
    from breakeven.core.files import write_text
    from breakeven.report import markdown, study_markdown
    from breakeven.results import study_results, summary
    from breakeven.results.limits import Limits

    target = markdown.target_of(chosen.page)
    paths.require_project()
    commit, dirty = git.commit()
    if dirty and not chosen.allow_dirty:
        raise UserError(
            f"The working tree differs from commit {commit[:8]}, so nobody could reproduce {target} from it: "
            "commit the changes, or add --allow-dirty."
        )
    study = schema.read_study()
    lock_check.require_current(study)
    study_records = study_results.read_results(study)
    rows = summary.rows(study_records.benchmarks, Limits.of(study))
    write_text(target, study_markdown.render(study.study, schema.overrides(), study_records, rows))
    summary.write_summary(target.with_suffix(".csv"), rows)
    print(f"{target} and {target.with_suffix('.csv')}: {len(rows)} rows")
