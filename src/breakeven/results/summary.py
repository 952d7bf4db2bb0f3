"""The flat table of all results, `results/summary.csv`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breakeven.core.files import write_text
from breakeven.results.columns import column_names
from breakeven.results.limits import Limits
from breakeven.results.recommend import UNMEASURED_VERDICTS, choose
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import Cell, ResultRow, cell


def rows(benchmarks: Sequence[BenchmarkResult], limits: Limits) -> list[ResultRow]:
    """Return all rows, with the best ones marked.

    The marks are the Pareto front of each cell, the highest throughput of each variant under the latency
    limit, the variant of each cell that is recommended within `limits`, and which limits the others exceed.
    """
    everything = [
        row
        for benchmark in benchmarks
        for row in _mark_limit(
            [record.row for record in benchmark.records], benchmark.settings["latency_limit_ms"]
        )
    ]

    return [
        marked
        for key, group in groupby(sorted(everything, key=cell), key=cell)
        for marked in _mark_recommended(_mark_pareto(list(group)), limits, _levels(benchmarks, key))
    ]


def write_summary(path: Path, table: Sequence[ResultRow]) -> None:
    """Write the table as CSV. Floats have six significant digits; missing figures are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, column_names(), lineterminator="\n")
    writer.writeheader()
    for row in table:
        writer.writerow({name: _cell(getattr(row, name)) for name in column_names()})
    write_text(path, text.getvalue())


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else value


def _mark_limit(rows: list[ResultRow], limit_ms: float | None) -> list[ResultRow]:
    """Mark the batch size and the number of callers of each variant's highest throughput under the limit.

    A row whose p99 has no upper bound gets no mark: nobody knows whether it keeps the limit.
    """
    if limit_ms is None:
        return rows
    best: dict[tuple[str, str], float] = {}
    for row in rows:
        p99_ms = row.latency_ms_p99_ci_high
        if row.throughput_per_s is not None and p99_ms is not None and p99_ms <= limit_ms:
            best[_kind(row)] = max(best.get(_kind(row), 0.0), row.throughput_per_s)
    return [
        replace(row, best_within_limit=row.throughput_per_s == best.get(_kind(row)))
        if row.throughput_per_s is not None and row.latency_ms_p99_ci_high is not None
        else row
        for row in rows
    ]


def _kind(row: ResultRow) -> tuple[str, str]:
    """Return the group in which throughputs compete; a single stream counts as a batch of one."""
    return row.variant, "batch" if row.callers == 1 else row.scenario


def pareto_front(costs: Mapping[str, tuple[float, ...]]) -> set[str]:
    """Return the names on the Pareto front: no other name is at least as good in every cost.

    Names with equal costs stay on the front together.

    Args:
        costs: name -> its costs; lower is better.
    """
    return {
        name
        for name, own_costs in costs.items()
        if not any(
            rival_costs != own_costs and all(o <= m for o, m in zip(rival_costs, own_costs, strict=True))
            for rival_costs in costs.values()
        )
    }


def _mark_pareto(group: list[ResultRow]) -> list[ResultRow]:
    """Mark the Pareto front in latency, score and size."""
    costs = {
        row.variant: (
            row.latency_ms_p50,
            -row.score if row.metric_better == "higher" else row.score,
            row.artifact_mb,
        )
        for row in group
        if row.latency_ms_p50 is not None
        and row.score is not None
        and row.artifact_mb is not None
        and not row.is_twin
    }
    best = pareto_front(costs)
    return [replace(row, pareto=row.variant in best) if row.variant in costs else row for row in group]


def _levels(benchmarks: Sequence[BenchmarkResult], key: Cell) -> dict[str, NDArray[np.float64]]:
    return {name: own for benchmark in benchmarks for name, own in benchmark.levels(key).items()}


def _mark_recommended(
    group: list[ResultRow], limits: Limits, levels: Mapping[str, NDArray[np.float64]]
) -> list[ResultRow]:
    best = choose(group, limits, levels).best
    return [
        row
        if row.verdict in UNMEASURED_VERDICTS
        else replace(
            row,
            recommended=best is not None and row == best,
            beyond_limits=" and ".join(limits.broken(row)) if row.trained and row.latency_ms_p50 else "",
        )
        for row in group
    ]
