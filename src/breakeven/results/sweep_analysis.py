"""The analysis of a sweep: the rows of its jobs, and what they show together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from breakeven.core.errors import UserError
from breakeven.engine.samples import UNTIMED
from breakeven.results import interaction, job_results, size_trend, summary
from breakeven.results.interaction import Interaction
from breakeven.results.limits import Limits
from breakeven.results.recommend import UNMEASURED_VERDICTS
from breakeven.results.result_row import SPECIAL, ResultRow, cell, title, unreliable_cells
from breakeven.results.size_trend import GROWS, SHRINKS, Size, Trend
from breakeven.results.sweep_results import Sweep

TREND_CONFIDENCE = 0.95


@dataclass(frozen=True)
class SweepAnalysis:
    """A sweep with the results of its jobs that are on this machine."""

    sweep: Sweep
    jobs: list[list[ResultRow]]  # only the rows of one job were measured side by side
    missing: dict[str, str]  # title of a finished job -> why its results cannot be read
    seconds: float = 0.0  # duration of all measurements

    @cached_property
    def rows(self) -> list[ResultRow]:
        """Return the rows of all jobs."""
        return [row for job in self.jobs for row in job]

    @cached_property
    def judged(self) -> list[ResultRow]:
        """Return one row for each model, cell and variant, from reliable runs only.

        If several jobs measured the same variant, the first measured row counts. If the sweep ran on several
        machines, the hardware's name includes the machine's.
        """
        rows = [self._placed(row) for job in self.jobs for row in _reliable(job)]
        # A job that measured the variant comes first.
        rows.sort(key=lambda row: row.verdict in UNMEASURED_VERDICTS)
        rows_by_variant: dict[tuple[object, ...], ResultRow] = {}
        for row in rows:
            rows_by_variant.setdefault((*cell(row), row.variant), row)
        return list(rows_by_variant.values())

    def _placed(self, row: ResultRow) -> ResultRow:
        several = len(self.machines) > 1
        return replace(row, hardware=f"{row.hardware} of {row.machine}") if several else row

    @cached_property
    def unreliable(self) -> list[str]:
        """Return in words the places that have no verdict, and why."""
        bad = (self._placed(row) for row in self.rows if row.unreliable)
        return sorted({f"{row.family} on {title(row)}: {row.reason}" for row in bad})

    @cached_property
    def single(self) -> list[ResultRow]:
        """Return the judged rows of one caller with batch size 1."""
        return [row for row in self.judged if row.batch_size == 1 and row.callers == 1]

    @cached_property
    def plain(self) -> list[ResultRow]:
        """Return the single-stream rows of uncompressed models, without baseline and controls."""
        return [row for row in self.single if row.compression == "none" and row.verdict not in SPECIAL]

    @cached_property
    def machines(self) -> list[str]:
        """Return the sorted names of the machines."""
        return sorted({row.machine for row in self.rows})

    @cached_property
    def hardware(self) -> list[str]:
        """Return the sorted names of the hardware."""
        return sorted({row.hardware for row in self.judged})

    @property
    def trends(self) -> list[Trend]:
        """Return the trend of each uncompressed variant on each hardware, over multiply-accumulates."""
        return self.trends_over[size_trend.MACS]

    @cached_property
    def trends_over(self) -> dict[Size, list[Trend]]:
        """Return the trends over each measure of size. They are cached because resampling takes time."""
        groups = [list(group) for _, group in groupby(sorted(self.plain, key=_trend_key), key=_trend_key)]
        return {
            what: [trend for group in groups if (trend := size_trend.trend(group, TREND_CONFIDENCE, what))]
            for what in size_trend.SIZES
        }

    @cached_property
    def interactions(self) -> list[Interaction]:
        """Return all interactions, each computed from the rows of one job."""
        return [
            combination
            for job in self.jobs
            for _, group in groupby(sorted(_reliable(job), key=cell), key=cell)
            for combination in interaction.interactions(group)
        ]

    @cached_property
    def contenders(self) -> list[list[ResultRow]]:
        """Return the rows that can be on a Pareto front: one list for each cell, the fastest first."""
        able = [
            row for row in self.judged if not row.is_twin and all(cost is not None for cost in _costs(row))
        ]
        able.sort(key=lambda row: (called(row), _costs(row)))
        return [list(group) for _, group in groupby(able, key=called)]

    @cached_property
    def fronts(self) -> list[ResultRow]:
        """Return the Pareto front of each cell in speedup, accuracy and size, over all jobs."""
        return [
            row
            for rows in self.contenders
            for best in [summary.pareto_front({each.variant: _costs(each) for each in rows})]
            for row in rows
            if row.variant in best
        ]

    @cached_property
    def unmeasured(self) -> dict[str, int]:
        """Return the variants without figures, each with its reason -> how many rows there are."""
        lost = (row for row in self.rows if row.verdict in UNTIMED)
        return dict(Counter(f"{row.variant}, {row.verdict}: {row.reason}" for row in lost))

    @property
    def untrained(self) -> list[str]:
        """Return the families with random weights, from small to large."""
        return [family for family, rows in by_family(self.rows) if not any(row.trained for row in rows)]

    @property
    def answer(self) -> str:
        """Return whether the speedup of the study's `growing_runtime` grows with the model.

        Return an empty text if the study names no such runtime or there is no trend of it.
        """
        if not (runtime := self.sweep.growing_runtime):
            return ""
        runtime_trends = [trend for trend in self.trends if runtime.lower() in trend.variant]
        return _answer(runtime_trends) if runtime_trends else ""


def collect(sweep: Sweep, limits: Limits) -> SweepAnalysis:
    """Read the results of a sweep's jobs, and mark the best rows of each job.

    Args:
        limits: of the recommendations, unless the sweep has its own.
    """
    limits = Limits(**sweep.recommend) if sweep.recommend else limits
    jobs, missing, seconds = [], {}, 0.0
    for outcome in {outcome.key: outcome for outcome in sweep.known()}.values():
        try:
            benchmarks = job_results.read_job(outcome.key).benchmarks
            jobs.append(summary.rows(benchmarks, limits))
            seconds += sum(benchmark.seconds for benchmark in benchmarks)
        except UserError as error:
            missing[outcome.title] = str(error)
    return SweepAnalysis(sweep, jobs, missing, seconds)


def by_family(rows: Iterable[ResultRow]) -> list[tuple[str, list[ResultRow]]]:
    """Return the rows by family, from the smallest model to the largest."""
    rows_by_family: dict[str, list[ResultRow]] = {}
    for row in rows:
        rows_by_family.setdefault(row.family, []).append(row)
    return sorted(rows_by_family.items(), key=lambda item: max(row.macs for row in item[1]))


def noise_floor(rows: Iterable[ResultRow]) -> float:
    """Return the median noise floor of the rows: a ratio, at least 1."""
    return float(np.median([row.noise_floor for row in rows if row.noise_floor] or [1.0]))


def _reliable(job: Iterable[ResultRow]) -> list[ResultRow]:
    """Return the rows of a job without the cells of unreliable runs, baselines included."""
    rows = list(job)
    bad = unreliable_cells(rows)
    return [row for row in rows if cell(row) not in bad]


def called(row: ResultRow) -> tuple[str, str, int, int, str]:
    """Return the cell of a row as a key that sorts by callers and batch size."""
    return row.family, row.hardware, row.callers, row.batch_size, row.scenario


def _trend_key(row: ResultRow) -> tuple[str, str]:
    return row.hardware, row.variant


def _costs(row: ResultRow) -> tuple[Any, ...]:
    """Return the costs of a row, with the speedup in place of latency.

    Latencies of two jobs differ if the machine was slower during one of them. Speedups do not.
    """
    score = row.score and (-row.score if row.metric_better == "higher" else row.score)
    return -row.speedup if row.speedup else None, score, row.artifact_mb


def _answer(trends: Sequence[Trend]) -> str:
    answers = {GROWS: "Yes, it grows", SHRINKS: "No, the opposite: it shrinks as the model grows"}
    decided = [each.verdict for each in trends if each.verdict in answers]
    answer = (
        answers[decided[0]] if len(set(decided)) == 1 else "It depends" if decided else "That is not decided"
    )
    if 0 < len(decided) < len(trends):
        answer += f" (decided for {len(decided)} of {len(trends)})"
    evidence = (
        f"{each.variant} on {each.hardware}: rank correlation {each.correlation.value:+.2f} "
        f"({each.correlation.low:+.2f} to {each.correlation.high:+.2f}) over {each.models} models, "
        f"faster than eager on {each.faster}, slower on {each.slower}"
        for each in trends
    )
    return f"{answer} ({'; '.join(evidence)})."
