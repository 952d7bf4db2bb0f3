"""From the records to what people see: summary, metrics, plots, table, and MLflow."""

from breakeven import config, paths, records, tracking
from breakeven.recommend import Limits
from breakeven.report import figures, html, picture, summary, sweep_section, table
from breakeven.stages.run import run
from breakeven.sync import sync


def report() -> None:
    """Write and print the results of the study, then log them."""
    study = config.read()
    found = records.read(study)
    limits = Limits.of(study)
    rows = summary.rows(found.benchmarks, limits)
    summary.write(paths.SUMMARY, rows)
    figures.write_metrics(paths.METRICS, rows)
    figures.write_plots(paths.PLOTS, rows, found.cards)
    picture.draw(paths.PICTURE, rows)
    swept = sweep_section.sections(limits)
    html.write(paths.REPORT, paths.PLOTS, study.study, config.overrides(), found, rows, limits, swept)
    table.show(found.benchmarks, rows)
    try:
        print(sync(study, found))
    except Exception as error:  # whatever a store does wrong costs a warning, never a result
        tracking.warn(error)


if __name__ == "__main__":
    run(report)
