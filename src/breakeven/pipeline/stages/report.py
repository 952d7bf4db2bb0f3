"""The stage `report`: it writes the summary, metrics, plots and page from the records, and logs to MLflow."""

import os

from breakeven.config import schema
from breakeven.core import paths
from breakeven.pipeline.stages._main import run
from breakeven.report import (
    dvc_files,
    extra_sections,
    html_page,
    static_svg,
    sweep_charts,
    terminal_answer,
    terminal_table,
    time_sections,
)
from breakeven.report.load_snippet import Loading
from breakeven.results import study_results, summary
from breakeven.results.answer import answers
from breakeven.results.limits import Limits
from breakeven.serving.capacity import recorded
from breakeven.tracking import address
from breakeven.tracking.study_runs import sync

ANSWERED_LATER = "BREAKEVEN_ANSWERED_LATER"  # set by who prints the answer after DVC's own last lines


def report() -> None:
    """Write and print the results of the study, then log them."""
    study = schema.read_study(checked=True)
    study_records = study_results.read_results(study)
    limits = Limits.of(study)
    rows = summary.rows(study_records.benchmarks, limits)
    summary.write_summary(paths.SUMMARY, rows)
    dvc_files.write_metrics(paths.METRICS, rows)
    dvc_files.write_plots(paths.PLOTS, study_records.benchmarks, rows, study_records.cards)
    static_svg.write_speedups(paths.PICTURE, rows)
    swept = sweep_charts.sections(limits)
    own = [*time_sections.sections(study, rows), *map(recorded.section, recorded.records(study))]
    html_page.write(
        paths.REPORT,
        paths.PLOTS,
        study.study,
        schema.overrides(),
        study_records,
        rows,
        limits,
        swept,
        Loading(study.runtimes, study.export.preprocessing),
        [*own, *extra_sections.saved(own)],
    )
    terminal_table.show(study_records.benchmarks, rows, limits=limits)
    try:
        print(sync(study, study_records))
        recorded.log_all(study)
    except Exception as error:  # an error of MLflow's store costs a warning, never a result
        address.warn(error)
    if ANSWERED_LATER not in os.environ:
        terminal_answer.show(answers(study_records.benchmarks, rows, limits), paths.REPORT)


if __name__ == "__main__":
    run(report)
