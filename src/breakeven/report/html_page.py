"""The report: one self-contained page of HTML, made from the records."""

import json
import shlex
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from breakeven import __version__
from breakeven.core.files import write_text
from breakeven.report import dvc_files, row_text, study_sections, training_charts, variant_names
from breakeven.report.extra_sections import ExtraSection
from breakeven.report.load_snippet import Loading
from breakeven.report.row_columns import columns_of
from breakeven.report.study_sections import Section
from breakeven.report.sweep_charts import SweepSection
from breakeven.report.training_charts import ChartGroup
from breakeven.results import pairs, score_text
from breakeven.results.limits import Limits
from breakeven.results.records import BenchmarkResult, moment
from breakeven.results.result_row import Cell, ResultRow, cell, folder_of, title
from breakeven.results.study_results import StudyResults

Drawn = Section | ChartGroup | SweepSection | ExtraSection
MOST_BASES = 60  # variants; more of them would make a page of many megabytes


def write(
    page: Path,
    plots: Path,
    study: str,
    overrides: Sequence[str],
    study_records: StudyResults,
    rows: Sequence[ResultRow],
    limits: Limits,
    sweeps: Sequence[SweepSection] = (),
    loading: Loading | None = None,
    extra: Sequence[ExtraSection] = (),
) -> None:
    """Write the page, and the data of each chart as CSV.

    Args:
        plots: the folder for the CSV files.
        overrides: the overrides that the study was composed with.
        rows: of all benchmarks, with the best ones marked.
        sweeps: the sections of sweeps, after the study's.
        loading: how the study's artifacts were exported; None if nobody knows.
        extra: sections that other commands left, after the sweeps.
    """
    sections = list(study_sections.sections(study_records, rows, limits, loading or Loading()))
    training = ChartGroup("training", "training", training_charts.charts_of(study_records.cards))
    pair_table = _pair_table(study_records.benchmarks, rows)
    all_sections: list[Drawn] = [*sections, training, *sweeps, *extra]
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
            extra=extra,
            training=training,
            groups=_groups(rows),
            rows=rows,
            cards=study_records.cards,
            machines=list({b.machine["name"]: b.machine for b in study_records.benchmarks}.values()),
            commits=sorted(
                {
                    f"{b.commit[:9]}{' with local changes' if b.dirty else ''}"
                    for b in study_records.benchmarks
                }
            ),
            limits=limits,
            kept=limits.sentence(rows),
            pairs=Markup(_json(pair_table)),  # not escaped: `_json` does it
            bases=list(dict.fromkeys(base for bases in pair_table.values() for base in bases)),
            library=Markup(_library()),  # not escaped: trusted scripts
            drawings=Markup(_drawings(all_sections)),
            measured=_measured(study_records.benchmarks),
            version=__version__,
            place=folder_of,
            parts=variant_names.parts,
            name_parts=variant_names.meanings(rows),
            text=row_text,
            scores=score_text,
            columns=columns_of("page", rows),
        )
    )
    write_text(page, text)


def _groups(rows: Sequence[ResultRow]) -> list[tuple[str, list[ResultRow]]]:
    """Return the title and the rows of each cell, the fastest first.

    Families keep their order; a single stream comes before other scenarios.
    """
    places = list(dict.fromkeys((row.family, row.hardware) for row in rows))
    cells: dict[Cell, list[ResultRow]] = {}
    for row in sorted(rows, key=lambda r: (places.index((r.family, r.hardware)), r.callers, r.batch_size)):
        cells.setdefault(cell(row), []).append(row)
    return [
        (f"{group[0].family} on {title(group[0])}", sorted(group, key=lambda row: -(row.speedup or 0)))
        for group in cells.values()
    ]


def _measured(benchmarks: Sequence[BenchmarkResult]) -> str:
    """Return the first and the last day of the measurements; empty if old records do not say so."""
    starts = sorted(at for benchmark in benchmarks for at, _ in benchmark.measured.values())
    days = [moment(at).partition(" ")[0] for at in starts]
    return " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))


def _pair_table(benchmarks: Sequence[BenchmarkResult], rows: Sequence[ResultRow]) -> dict[str, Any]:
    """Return cell -> base -> variant -> speedup, its interval and the verdict, for all pairs of each cell."""
    table: dict[str, Any] = {}
    measured = {row.variant for row in rows if row.speedup is not None and not row.is_twin}
    for base in sorted(measured) if len(measured) <= MOST_BASES else ():
        for row in pairs.over(base, benchmarks, rows):
            figures = (row.speedup, row.speedup_ci_low, row.speedup_ci_high)
            shown = [figure and float(f"{figure:.4g}") for figure in figures]
            of_base = table.setdefault(f"{row.family}/{row.place}", {}).setdefault(base, {})
            of_base[row.variant] = [*shown, row.verdict]
    return table


def _drawings(sections: Iterable[Drawn]) -> str:
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
    environment.filters["code"] = _with_code
    environment.globals["source"] = lambda name: Markup(  # trusted files of the package
        (Path(__file__).with_name("templates") / name).read_text(encoding="utf-8")
    )
    return environment


def _with_code(sentence: str) -> Markup:
    """Return a sentence in HTML, with what stands between backticks as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(sentence.split("`"))
    )
