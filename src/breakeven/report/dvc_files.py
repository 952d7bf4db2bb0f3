"""The files that `dvc metrics show` and `dvc plots show` read."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.core import paths
from breakeven.core.files import atomic, write_json
from breakeven.report import static_svg, study_charts
from breakeven.report.training_chart import training
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, cell, title

RECOMMENDED = "recommended"  # the folder of the metrics of the recommended variants


def write_metrics(folder: Path, rows: Sequence[ResultRow]) -> None:
    """Write accuracy, latency and speedup of each variant, and once more of the recommended ones.

    DVC prints a row for each file. Every file has the same three figures, so DVC's table has three columns.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for row in rows:
        if row.accuracy is None or row.latency_ms_p50 is None:
            continue
        figures = {
            "accuracy": round(row.accuracy, 4),
            "latency_ms": float(f"{row.latency_ms_p50:.3g}"),
            "speedup": float(f"{row.speedup or 1:.3g}"),
        }
        place = f"{row.family}-{row.place}"
        write_json(folder / place / f"{paths.variant(row.variant)}.json", figures)
        if row.recommended:
            write_json(folder / RECOMMENDED / f"{place}.json", figures)


def write_plots(
    folder: Path,
    benchmarks: Iterable[BenchmarkResult],
    rows: Sequence[ResultRow],
    cards: Iterable[ModelManifest],
) -> None:
    """Write the pictures of accuracy against latency, and of the training. DVC shows them offline, too."""
    charts = []
    for benchmark in benchmarks:
        own = [row for row in rows if (row.family, row.hardware) == (benchmark.family, benchmark.hardware)]
        for key, group in groupby(sorted(own, key=cell), key=cell):
            cell_rows = list(group)
            heading = f"Accuracy against latency: {key[0]} on {title(cell_rows[0])}"
            drawn = study_charts.charts_of(benchmark, cell_rows)
            charts += [(heading, chart) for chart in drawn if chart.name == "accuracy"]
    static_svg.write_panels(folder / "accuracy.svg", charts, "no accuracy is known of a measured variant")
    chart = training(cards)
    static_svg.write_panels(folder / "training.svg", [(chart.title, chart)], "nothing was trained here")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
