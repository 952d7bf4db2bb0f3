"""The writer of a sweep's page, its flat table and its pictures."""

from pathlib import Path

from breakeven.core.errors import UserError
from breakeven.core.files import write_text
from breakeven.report import html_page, pareto_charts, size_charts, static_svg, sweep_charts, sweep_markdown
from breakeven.report.size_charts import slug
from breakeven.results import summary
from breakeven.results.limits import Limits
from breakeven.results.study_results import StudyResults
from breakeven.results.sweep_analysis import collect
from breakeven.results.sweep_results import Sweep


def write(sweep: Sweep, page: Path, charts: Path, limits: Limits) -> list[Path]:
    """Write `page` and, beside it, a CSV file and pictures; return the paths of all files.

    Args:
        charts: path of a page of HTML with all charts and rows, as in the report; 1 MB.
        limits: of the recommendations that the CSV file marks.

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
    for size, trends in swept.trends_over.items():
        for hardware in sorted({trend.hardware for trend in trends}):
            if chart := size_charts.speedups(swept, hardware, size):
                picture = page.with_name(f"{page.stem}_{size.column}_{slug(hardware)}.svg")
                static_svg.write_chart(picture, chart)
                pictures[f"Speedup against the {size.unit} of the model, {hardware}"] = picture.name
    if chart := sweep_charts.combinations(swept):
        picture = page.with_name(f"{page.stem}_combinations.svg")
        static_svg.write_chart(picture, chart)
        pictures["Combinations against the product of their parts"] = picture.name
    for name, chart in pareto_charts.fronts(swept).items():
        picture = page.with_name(f"{page.stem}_front_{slug(name)}.svg")
        static_svg.write_front(picture, chart, pareto_charts.ON_FRONT)
        pictures[chart.title] = picture.name
    table = page.with_suffix(".csv")
    summary.write_summary(table, swept.rows)
    write_text(page, sweep_markdown.render(swept, pictures))
    sections = [sweep_charts.section(swept)]
    html_page.write(charts, charts.parent, sweep.name, [], StudyResults([], []), swept.rows, limits, sections)
    return [page, table, *(page.with_name(name) for name in pictures.values())]
