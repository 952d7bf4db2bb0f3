"""Any two variants of a cell, compared from what was measured in the same rounds."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean
from breakeven.engine import statistics
from breakeven.engine.comparison import BASELINE, speedups_over
from breakeven.engine.samples import UNTIMED
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, cell, unreliable_cells


def against(base: str, benchmarks: Iterable[BenchmarkResult], rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the rows as `over` does.

    Raises:
        UserError: `base` was measured in no cell.
    """
    found = over(base, benchmarks, rows)
    if not found:
        measured = sorted({row.variant for row in rows if row.speedup is not None})
        raise UserError(f"--against {base}: {did_you_mean(base, measured)}")
    return found


def over(base: str, benchmarks: Iterable[BenchmarkResult], rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the rows with the speedups and verdicts that they have over another variant than the baseline.

    Rows of cells in which `base` was not measured are left out. The changes of accuracy stay those from the
    baseline. Break-even calls are empty, because they are known against the baseline only.
    """
    return [
        compared
        for benchmark in benchmarks
        for key in {cell(record.row): None for record in benchmark.records}
        for compared in _in_cell(base, benchmark, [row for row in rows if cell(row) == key])
    ]


def _in_cell(base: str, benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> list[ResultRow]:
    levels = benchmark.levels(cell(rows[0])) if rows else {}
    if base not in levels:
        return []
    settings, unreliable = benchmark.settings, bool(unreliable_cells(rows))
    speedups = speedups_over(base, levels, settings["confidence"])
    floor = next((row.noise_floor for row in rows if row.noise_floor), 1.0)
    compared = []
    for row in rows:
        speedup = speedups.get(row.variant)
        verdict, reason = row.verdict, row.reason
        if row.variant == base:
            verdict = BASELINE
        elif speedup and row.verdict not in UNTIMED and not row.is_twin:
            judged, why = statistics.verdict_beyond(speedup.interval, settings["margin"], floor)
            verdict = statistics.UNDECIDED if unreliable else judged
            if not unreliable:  # the reason against the baseline may not hold here
                reason = why or ("" if reason.startswith(statistics.WITHIN_NOISE) else reason)
        compared.append(
            replace(
                row,
                verdict=verdict,
                reason=reason,
                speedup=1.0 if row.variant == base else speedup.interval.value if speedup else None,
                speedup_ci_low=speedup.interval.low if speedup else None,
                speedup_ci_high=speedup.interval.high if speedup else None,
                min_detectable_effect=speedup.detectable if speedup else None,
                breakeven_calls=None,
                breakeven_calls_low=None,
                breakeven_calls_high=None,
                breakeven_calls_without_training=None,
            )
        )
    return compared
