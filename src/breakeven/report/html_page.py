"""The report: one self-contained page of HTML, made from the records."""

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from breakeven.core.files import write_text
from breakeven.report import dvc_files, row_text, study_charts, terminal_table
from breakeven.report.row_columns import columns_of
from breakeven.report.sweep_charts import SweepSection
from breakeven.report.vega import Chart
from breakeven.results import pairs
from breakeven.results.recommend import Choice, Limits, choose, smallest_drop
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, cell, folder_of, title
from breakeven.results.study_results import StudyResults

MOST_BASES = 60  # variants; more of them would make a page of many megabytes


@dataclass(frozen=True)
class Section:
    """A section of the page: one family on one hardware in one scenario."""

    name: str  # in links and in names of files
    title: str
    benchmark: BenchmarkResult
    choice: Choice
    estimate: ResultRow | None  # the choice by estimates alone, if it differs
    decides: float  # the smallest drop in accuracy that the test set can rule out, points
    warnings: list[str]
    footer: str  # how the figures were measured
    charts: list[Chart]


def write(
    page: Path,
    plots: Path,
    study: str,
    overrides: Sequence[str],
    study_records: StudyResults,
    rows: Sequence[ResultRow],
    limits: Limits,
    sweeps: Sequence[SweepSection] = (),
) -> None:
    """Write the page, and the data of each chart as CSV.

    Args:
        plots: the folder for the CSV files.
        overrides: the overrides that the study was composed with.
        rows: of all benchmarks, with the best ones marked.
        sweeps: the sections of sweeps, after the study's.
    """
    sections = list(_sections(study_records, rows, limits))
    pair_table = _pair_table(study_records.benchmarks, rows)
    all_sections: list[Section | SweepSection] = [*sections, *sweeps]
    for section in all_sections:
        for chart in section.charts:
            lines = [list(point.values()) for point in _rounded(chart.data)]
            dvc_files.write_csv(plots / f"{section.name}-{chart.name}.csv", list(chart.data[0]), lines)
    text = (
        _environment()
        .get_template("report.html")
        .render(
            study=study,
            command=shlex.join(["breakeven", "compose", *overrides]),
            sections=sections,
            sweeps=sweeps,
            rows=[row for row in rows if row.verdict != "control"],
            cards=study_records.cards,
            machines=list({b.machine["name"]: b.machine for b in study_records.benchmarks}.values()),
            commits=sorted(
                {
                    f"{b.commit[:9]}{' with local changes' if b.dirty else ''}"
                    for b in study_records.benchmarks
                }
            ),
            limits=limits,
            pairs=Markup(_json(pair_table)),  # not escaped: `_json` does it
            bases=list(dict.fromkeys(base for bases in pair_table.values() for base in bases)),
            library=Markup(_library()),  # not escaped: trusted scripts
            drawings=Markup(_drawings(all_sections)),
            place=folder_of,
            interval=row_text.interval,
            change=row_text.change,
            calls=row_text.calls,
            calls_without_training=row_text.calls_without_training,
            memory=row_text.memory,
            columns=columns_of("page", rows),
        )
    )
    write_text(page, text)


def _sections(study_records: StudyResults, rows: Sequence[ResultRow], limits: Limits) -> Iterator[Section]:
    for benchmark in study_records.benchmarks:
        benchmark_rows = [
            row for row in rows if (row.family, row.hardware) == (benchmark.family, benchmark.hardware)
        ]
        # A single stream comes first.
        benchmark_rows.sort(key=lambda row: (row.callers, row.batch_size, row.scenario))
        for number, (_, group) in enumerate(groupby(benchmark_rows, key=cell)):
            cell_rows = list(group)
            charts = study_charts.charts_of(benchmark, cell_rows)
            if not number and (batch := study_charts.batches(benchmark_rows)):
                charts.append(batch)
            levels = benchmark.levels(cell(cell_rows[0]))
            choice = choose(cell_rows, limits, levels)
            estimate = choose(cell_rows, replace(limits, by_estimate=True), levels).best
            yield Section(
                name=f"{benchmark.family}-{cell_rows[0].place}",
                title=f"{benchmark.family} ({benchmark.title}) on {title(cell_rows[0])}",
                benchmark=benchmark,
                choice=choice,
                estimate=estimate if estimate != choice.best else None,
                decides=smallest_drop(benchmark.test_images, benchmark.settings["confidence"]),
                warnings=terminal_table.warnings(benchmark, cell_rows[0]),
                footer=terminal_table.footer(benchmark, cell_rows),
                charts=charts,
            )


def _pair_table(benchmarks: Sequence[BenchmarkResult], rows: Sequence[ResultRow]) -> dict[str, Any]:
    """Return cell -> base -> variant -> speedup, its interval and the verdict, for all pairs of each cell."""
    table: dict[str, Any] = {}
    measured = {row.variant for row in rows if row.speedup is not None and row.verdict != "control"}
    for base in sorted(measured) if len(measured) <= MOST_BASES else ():
        for row in pairs.over(base, benchmarks, rows):
            figures = (row.speedup, row.speedup_ci_low, row.speedup_ci_high)
            shown = [figure and float(f"{figure:.4g}") for figure in figures]
            of_base = table.setdefault(f"{row.family}/{row.place}", {}).setdefault(base, {})
            of_base[row.variant] = [*shown, row.verdict]
    return table


def _drawings(sections: Iterable[Section | SweepSection]) -> str:
    """Return the charts by the name of their HTML element, as JSON that is safe inside a script element."""
    specs = {
        f"{section.name}-{chart.name}": {
            **chart.spec,
            "datasets": {**chart.spec.get("datasets", {}), "table": _rounded(chart.data)},
        }
        for section in sections
        for chart in section.charts
    }
    return _json(specs)


def _json(values: Any) -> str:
    """Return JSON that is safe inside a script element."""
    return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")


def _rounded(data: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the data with floats rounded to six significant digits, as in the summary."""
    return [{k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in row.items()} for row in data]


@cache
def _library() -> str:
    """Return Vega-Lite and its dependencies as one script."""
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")).replace(
        "</script", "<\\/script"
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("breakeven.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = row_text.number
    environment.globals["source"] = lambda name: Markup(  # trusted files of the package
        (Path(__file__).with_name("templates") / name).read_text(encoding="utf-8")
    )
    return environment
