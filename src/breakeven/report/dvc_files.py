"""The files that `dvc metrics show` and `dvc plots show` read."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.core.files import atomic, write_json
from breakeven.results.result_row import ResultRow, title


def write_metrics(path: Path, rows: Sequence[ResultRow]) -> None:
    """Write accuracy, latency and speedup of each variant, nested by family, hardware and scenario."""
    metrics: dict[str, Any] = {}
    for row in rows:
        if row.accuracy is None or row.latency_ms_p50 is None:
            continue
        cell = metrics.setdefault(row.family, {}).setdefault(row.place, {})
        cell[row.variant] = {
            "accuracy": round(row.accuracy, 4),
            "latency_ms": float(f"{row.latency_ms_p50:.4g}"),
            "speedup": float(f"{row.speedup or 1:.4g}"),
        }
    write_json(path, metrics)


def write_plots(folder: Path, rows: Sequence[ResultRow], cards: Iterable[ModelManifest]) -> None:
    """Write one CSV for each plot: speedups, accuracy against latency, training curves."""
    timed = [row for row in rows if row.latency_ms_p50 is not None]
    write_csv(
        folder / "speedup.csv",
        ["variant", "speedup", "low", "high", "verdict"],
        [(_label(r), r.speedup, r.speedup_ci_low, r.speedup_ci_high, r.verdict) for r in timed],
    )
    write_csv(
        folder / "accuracy_latency.csv",
        ["latency_ms", "accuracy", "variant"],
        [(r.latency_ms_p50, r.accuracy, _label(r)) for r in timed if r.variant != "twin"],
    )
    write_csv(
        folder / "training.csv",
        ["epoch", "val_accuracy", "train_accuracy", "train_loss", "val_loss", "model"],
        [
            (
                int(epoch["epoch"]) + 1,
                epoch["val_accuracy"],
                epoch["train_accuracy"],
                epoch["train_loss"],
                epoch["val_loss"],
                f"{card.family}/{card.recipe}",
            )
            for card in cards
            for epoch in card.history
        ],
    )


def _label(row: ResultRow) -> str:
    return f"{row.family} {row.variant} {title(row)}"


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
