"""The files that `dvc metrics show` and `dvc plots show` read."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.core.files import atomic, atomic_folder, write_json
from breakeven.plugins.tasks.base import at_start
from breakeven.report import score_chart, static_svg
from breakeven.report.terminal_table import scenarios
from breakeven.report.training_charts import training
from breakeven.results.answer import speedup_bounds
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, title
from breakeven.results.score_text import metric_title

DEPLOY = "DEPLOY"  # the folder of the metrics of the recommended variants; DVC lists capitals first


def write_metrics(folder: Path, rows: Sequence[ResultRow]) -> None:
    """Write score, latency and speedup of each variant, and again of those to deploy, with their names.

    DVC prints a row for each file, whose path is the variant's name, and a column for each key. The answer is
    one text with the interval, because a column of `dvc exp show` is as wide as its path.
    """
    places = Counter(row.family for row in rows if row.recommended)
    with atomic_folder(folder) as written:
        for row in rows:
            if row.score is None or row.latency_ms_p50 is None:
                continue
            figures = {
                row.metric: float(f"{row.score:.4g}"),
                "latency_ms_p50": float(f"{row.latency_ms_p50:.3g}"),
                "speedup": round(row.speedup or 1.0, 2),
            }
            place = f"{row.family}-{row.place}"
            limits = {"within_limits": "may exceed" if row.beyond_limits else "yes"}
            judged = row.recommended is not None
            write_json(written / place / f"{row.variant}.json", {**figures, **(limits if judged else {})})
            if row.recommended:
                answer = f"{row.variant}, {row.speedup or 1.0:.2f}x{speedup_bounds(row)}"
                name = row.family if places[row.family] == 1 else place
                write_json(written / DEPLOY / f"{name}.json", {**figures, **limits, "deploy": answer})


def write_plots(
    folder: Path,
    benchmarks: Iterable[BenchmarkResult],
    rows: Sequence[ResultRow],
    cards: Iterable[ModelManifest],
) -> None:
    """Write the pictures of scores against latency, and of the training. DVC shows them offline, too."""
    charts = [
        (
            f"{at_start(metric_title(cell_rows))} against latency: "
            f"{benchmark.family} on {title(cell_rows[0])}",
            score_chart.score_by_latency(benchmark.test_images, cell_rows),
        )
        for benchmark in benchmarks
        for cell_rows in scenarios(benchmark, rows)
    ]
    static_svg.write_panels(folder / "accuracy.svg", charts, "no score is known of a measured variant")
    chart = training(cards)
    static_svg.write_panels(folder / "training.svg", [(chart.title, chart)], "nothing was trained here")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
