"""Write the last results as Markdown and CSV."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from breakeven.config.study import Study

GROUP = "understand"
EXAMPLE = "breakeven publish docs/results/mine.md"
ANYWHERE = True  # it asks for a project itself, after it has asked for a clean tree


def arguments(parser: ArgumentParser) -> None:
    """Add the page."""
    parser.add_argument("page", metavar="PAGE.md", help="as docs/results/reference.md")
    parser.add_argument(
        "--served", action="store_true", help="what the stage `serve` measured, in the place of the table"
    )
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
    lock_check.require_current(study, [f"serve@{name}" for name in study.families] if chosen.served else [])
    if chosen.served:
        _served(target, study)
        return
    study_records = study_results.read_results(study)
    rows = summary.rows(study_records.benchmarks, Limits.of(study))
    write_text(target, study_markdown.render(study.study, schema.overrides(), study_records, rows))
    summary.write_summary(target.with_suffix(".csv"), rows)
    print(f"{target} and {target.with_suffix('.csv')}: {len(rows)} rows")


def _served(target: Path, study: "Study") -> None:
    """Write the page of what services and several callers were seen to do."""
    from breakeven.config import schema
    from breakeven.core.errors import UserError
    from breakeven.serving.capacity import page, recorded

    if not (found := [*recorded.records(study)]):
        raise UserError(
            "The stage `serve` has measured nothing: compose with serve=true, and run `dvc repro`."
        )
    overrides = " ".join(schema.overrides())
    written = page.write(target, found, f"breakeven compose {overrides} && dvc repro")
    print(f"Written: {', '.join(map(str, written))}")
