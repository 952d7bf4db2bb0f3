"""From a sweep's records to its page, its flat table and its pictures."""

from pathlib import Path

from breakeven.errors import UserError
from breakeven.files import write_text
from breakeven.jobs import records_of
from breakeven.recommend import Limits
from breakeven.report import curves, summary, sweep_page
from breakeven.result import Row
from breakeven.sweeps import Sweep

CONFIDENCE = 0.95


def write(sweep: Sweep, page: Path) -> list[Path]:
    """Write `page` and, beside it, a CSV file and a picture for each hardware; returns what was written.

    Raises:
        UserError: no job of the sweep has records.
    """
    jobs = rows_of_jobs(sweep)
    found = [row for job in jobs for row in job]
    if not found:
        raise UserError(f"{sweep.name}: none of its {len(sweep.jobs)} jobs has results.")
    single = [row for row in found if row.batch_size == 1 and row.callers == 1]
    trends = list(sweep_page.trends_of(single, CONFIDENCE))
    pictures = {}
    for hardware in sorted({each.hardware for each in trends}):
        picture = page.with_name(f"{page.stem}_{hardware}.svg")
        curves.draw(picture, hardware, single, trends)
        pictures[f"Speedup against the work of the model, {hardware}"] = picture.name
    table = page.with_suffix(".csv")
    summary.write(table, found)
    write_text(page, sweep_page.render(sweep, jobs, trends, pictures))
    return [page, table, *(page.with_name(name) for name in pictures.values())]


def rows_of_jobs(sweep: Sweep) -> list[list[Row]]:
    """The rows of each job, with what is best within it marked."""
    known = [records_of(outcome.key) for outcome in sweep.known()]
    return [summary.rows(found.benchmarks, Limits.of(study)) for study, found in known]
