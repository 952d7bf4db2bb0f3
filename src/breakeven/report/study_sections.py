"""The page's sections on a study: one for each family on one hardware in one scenario."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from breakeven.report import latency_charts, study_charts, terminal_table
from breakeven.report.load_snippet import Loading, Snippet, snippets
from breakeven.report.operators import OperatorProfile, profiles
from breakeven.report.vega import Chart
from breakeven.results.answer import Answer, CellAnswer, answers
from breakeven.results.limits import Limits
from breakeven.results.recommend import Choice, choose, smallest_drop
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, cell, scenario, title
from breakeven.results.score_text import change_unit, metric_title
from breakeven.results.study_results import StudyResults


@dataclass(frozen=True)
class Section:
    """A section of the page: one family on one hardware in one scenario."""

    name: str  # in links and in names of files
    title: str
    benchmark: BenchmarkResult
    choice: Choice
    answer: Answer
    baseline: ResultRow | None
    where: str  # the hardware and the scenario in words
    images: int  # of the test set
    estimate: ResultRow | None  # the choice by estimates alone, if it differs
    metric: str  # the name of its scores
    change_unit: str  # of a change of them
    decides: float  # the smallest drop in accuracy that the test set can rule out, points
    warnings: list[str]
    footer: str  # how the figures were measured
    charts: list[Chart]
    operators: list[OperatorProfile]
    snippets: list[Snippet]  # how to load what was chosen


def sections(
    study_records: StudyResults, rows: Sequence[ResultRow], limits: Limits, loading: Loading
) -> Iterator[Section]:
    """Yield the section of each cell.

    Args:
        rows: of all benchmarks, with the best ones marked.
        loading: how the study's artifacts were exported.
    """
    drawn = set()  # the benchmarks whose chart over batch sizes is drawn
    for found in answers(study_records.benchmarks, rows, limits):
        benchmark, first = found.benchmark, found.rows[0]
        charts = study_charts.charts_of(benchmark, found.rows, limits)
        place = (benchmark.family, benchmark.hardware)
        if place not in drawn:
            drawn.add(place)
            own = [row for row in rows if (row.family, row.hardware) == place]
            charts += filter(None, [latency_charts.batches(own)])
        yield Section(
            name=f"{benchmark.family}-{first.place}",
            title=f"{benchmark.family} ({benchmark.title}) on {title(first)}",
            benchmark=benchmark,
            choice=found.choice,
            answer=found.answer,
            baseline=next((row for row in found.rows if row.verdict == "baseline"), None),
            where=_where(benchmark, first),
            images=benchmark.test_images,
            estimate=_by_estimate(found, limits),
            metric=metric_title(found.rows),
            change_unit=change_unit(first),
            decides=smallest_drop(benchmark.test_images, benchmark.settings["confidence"]),
            warnings=terminal_table.warnings(benchmark, first),
            footer=terminal_table.footer(benchmark, found.rows),
            charts=charts,
            operators=profiles(found),
            snippets=snippets(found.choice.best, study_records.cards, loading),
        )


def _by_estimate(found: CellAnswer, limits: Limits) -> ResultRow | None:
    """Return the choice by the estimates alone, if it differs."""
    levels = found.benchmark.levels(cell(found.rows[0]))
    estimate = choose(found.rows, replace(limits, by_estimate=True), levels).best
    return estimate if estimate != found.choice.best else None


def _where(benchmark: BenchmarkResult, row: ResultRow) -> str:
    """Return how many threads, pinned to what, took how many inputs a call."""
    threads = f"{row.threads} thread{'s' if row.threads > 1 else ''}"
    cpus = benchmark.affinity.get("cpus") or []
    if benchmark.affinity.get("pinned") and cpus:
        threads += f" pinned to core{'s' if len(cpus) > 1 else ''} {', '.join(map(str, cpus))}"
    called = scenario(row).title
    return f"{threads}; {'one input a call' if called == 'batch 1' else called}"
