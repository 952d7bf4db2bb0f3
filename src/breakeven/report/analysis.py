"""From a sweep's records to its page, its flat table and its pictures."""

from pathlib import Path

from breakeven.errors import UserError
from breakeven.files import write_text
from breakeven.recommend import Limits
from breakeven.report import curves, summary, sweep_page
from breakeven.report.swept import collect
from breakeven.sweeps import Sweep


def write(sweep: Sweep, page: Path, limits: Limits) -> list[Path]:
    """Write `page` and, beside it, a CSV file and a picture for each hardware; returns what was written.

    Args:
        limits: what is recommended within them is marked in the CSV file.

    Raises:
        UserError: no job of the sweep has records.
    """
    swept = collect(sweep, limits)
    if not swept.rows:
        why = f" ({next(iter(swept.missing.values()))})" if swept.missing else ""
        raise UserError(
            f"{sweep.name}: none of its {len(sweep.jobs)} jobs has results{why}: run `{sweep.command}` again."
        )
    pictures = {}
    for hardware in sorted({each.hardware for each in swept.trends}):
        picture = page.with_name(f"{page.stem}_{hardware}.svg")
        curves.draw(picture, hardware, swept.single, swept.trends)
        pictures[f"Speedup against the work of the model, {hardware}"] = picture.name
    table = page.with_suffix(".csv")
    summary.write(table, swept.rows)
    write_text(page, sweep_page.render(swept, pictures))
    return [page, table, *(page.with_name(name) for name in pictures.values())]
