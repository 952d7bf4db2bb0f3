"""What to deploy, in plain words. The report, the terminal, MLflow and the published pages all use these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from breakeven.core.format import brief
from breakeven.engine.quality_checks import FEW_REPLICATES
from breakeven.plugins.tasks.base import PERCENT
from breakeven.results.limits import Limits
from breakeven.results.recommend import TIE, Choice, choose, gain
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, cell, scenario
from breakeven.results.score_text import (
    bounds_text,
    change_text,
    change_unit,
    metric_title,
    same_text,
    score_text,
)


@dataclass(frozen=True)
class Candidate:
    """A variant in the table of at most three that explains the choice."""

    role: str  # "chosen", "next best" (within the limits) or "fastest" (of all)
    row: ResultRow
    reason: str  # why it was not chosen; empty for the chosen one


@dataclass(frozen=True)
class Answer:
    """What to deploy for one family on one hardware in one scenario. No text has a full stop."""

    headline: str  # what to do, and how much faster it is
    # "latency", "over fp32", the metric's name and "paid back": what it gains and costs, where it is known
    facts: Mapping[str, str]
    doubts: tuple[str, ...]  # why to be careful with it
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class CellAnswer:
    """One family on one hardware in one scenario: its record, its rows, the choice and the answer."""

    benchmark: BenchmarkResult
    rows: list[ResultRow]
    choice: Choice
    answer: Answer


def answers(
    benchmarks: Iterable[BenchmarkResult], rows: Sequence[ResultRow], limits: Limits
) -> Iterator[CellAnswer]:
    """Yield the answer of each cell; a single stream comes before other scenarios of the same benchmark.

    Args:
        rows: of all benchmarks.
    """
    for benchmark in benchmarks:
        place = (benchmark.family, benchmark.hardware)
        own = sorted(
            (row for row in rows if (row.family, row.hardware) == place),
            key=lambda row: (row.callers, row.batch_size, row.scenario),
        )
        for _, group in groupby(own, key=cell):
            yield answer_of_cell(benchmark, list(group), limits)


def answer_of_cell(benchmark: BenchmarkResult, rows: list[ResultRow], limits: Limits) -> CellAnswer:
    """Choose among the rows of one cell, and return the choice with its answer."""
    choice = choose(rows, limits, benchmark.levels(cell(rows[0])))
    return CellAnswer(benchmark, rows, choice, answer(benchmark, rows, choice, limits))


def answer(benchmark: BenchmarkResult, rows: Sequence[ResultRow], choice: Choice, limits: Limits) -> Answer:
    """Return the answer for one cell.

    Args:
        rows: the rows of the cell.
        choice: the variant that was chosen among them.
    """
    best = choice.best
    baseline = next((row for row in rows if row.verdict == "baseline"), None)
    if best is None:
        hints = f" ({', or '.join(choice.relaxed)})" if choice.relaxed else ""
        return Answer(f"No recommendation: {choice.reason}{hints}", {}, (), ())
    facts = {
        "latency": _latency(best, baseline),
        "over fp32": choice.over_fp32,
        metric_title([best]): _score(best, benchmark.test_images),
        "paid back": _payback(best, baseline),
    }
    return Answer(
        headline=_headline(best, limits),
        facts={name: fact for name, fact in facts.items() if fact},
        doubts=_doubts(benchmark, best, choice, limits),
        candidates=_candidates(choice, limits),
    )


def speedup_bounds(row: ResultRow) -> str:
    """Return the interval of a row's speedup in parentheses, after a space; empty if it has none."""
    low, high = row.speedup_ci_low, row.speedup_ci_high
    return f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""


def _headline(best: ResultRow, limits: Limits) -> str:
    if best.verdict == "baseline":
        surely = "" if limits.by_estimate else "surely "
        return f"Keep the baseline, {best.variant}: nothing within the limits is {surely}faster"
    return f"Deploy {best.variant}: {best.speedup or 0.0:.2f}x as fast as the baseline{speedup_bounds(best)}"


def _latency(best: ResultRow, baseline: ResultRow | None) -> str:
    if best.latency_ms_p50 is None or baseline is None or baseline.latency_ms_p50 is None:
        return ""
    if best is baseline:
        return f"{brief(best.latency_ms_p50)} ms a call"
    was, now = brief(baseline.latency_ms_p50), brief(best.latency_ms_p50)
    return f"from {was} to {now} ms a call (medians; the speedup is taken round by round)"


def _score(best: ResultRow, images: int) -> str:
    score, unit = score_text(best), change_unit(best)
    low, high = best.score_delta_ci_low, best.score_delta_ci_high
    if best.verdict == "baseline":
        return f"{score} on {images:,} test samples" if score else ""
    if best.is_exact:
        return f"{score}, unchanged: {same_text(best)} for each of {images:,} test samples" if score else ""
    if best.score_delta is None or low is None or high is None:
        return score
    changed = (
        f"{change_text(best, best.score_delta)} {unit}".rstrip() if best.score_delta else "no change seen"
    )
    if {change_text(best, change) for change in (low, best.score_delta, high)} == {"+0"}:
        return f"{score}, unchanged in these digits (judged by {images:,} test samples)"
    bounds = f"{bounds_text(best, low, high)} {unit}".rstrip()
    return f"{score}, {changed} (the true change: {bounds}, judged by {images:,} test samples)"


def _payback(best: ResultRow, baseline: ResultRow | None) -> str:
    calls = best.breakeven_calls or ""
    if best.verdict == "baseline" or best.latency_ms_p50 is None:
        return ""
    if not calls.isdigit():
        return calls  # "never" or "undecided"; empty if nobody knows
    if calls == "0":
        return "at once: it costs no more than the baseline"
    bounds = [best.breakeven_calls_low or "", best.breakeven_calls_high or ""]
    known = [brief(float(bound)) for bound in bounds if bound.isdigit()]
    within = f" ({' to '.join(known)})" if len(known) == 2 else ""
    before = baseline or best
    was_ms = before.latency_ms_mean or before.latency_ms_p50 or 0.0  # rows of earlier versions have no mean
    saved = int(calls) * was_ms * (1 - 1 / (best.speedup or 1.0)) / 1000  # as the calls were computed
    what = "training, build and start" if best.train_s else "build and start"
    return (
        f"after {brief(float(calls))} calls{within}: a call saves {brief(1000 * saved / int(calls))} ms on "
        f"average, and {what} take {brief(saved)} s"
    )


def _doubts(benchmark: BenchmarkResult, best: ResultRow, choice: Choice, limits: Limits) -> tuple[str, ...]:
    doubts = []
    if choice.ties:
        doubts.append(f"{' and '.join(choice.ties)} may be as fast")
    if choice.unsettled:
        doubts.append(
            f"{' and '.join(choice.unsettled)} may be as fast, too: the measurement is too rough to tell"
        )
    if best.speedup and best.speedup_ci_low and best.speedup_ci_high:
        half_width = max(best.speedup_ci_high / best.speedup, best.speedup / best.speedup_ci_low) - 1
        if half_width > TIE:
            doubts.append(f"the speedup is imprecise (±{half_width:.0%})")
    names = [
        warning["name"]
        for warning in benchmark.warnings
        # Whether there were enough replicates for this variant is said by its own interval.
        if warning["scenario"] == scenario(best).title and warning["name"] != FEW_REPLICATES
    ]
    if names:
        doubts.append(f"the run has warnings: {', '.join(names)}")
    if best.metric_unit != PERCENT and limits.max_score_loss is None and best.verdict != "baseline":
        doubts.append(f"its {metric_title([best])} was held against no limit: set recommend.max_score_loss")
    return tuple(doubts)


def _candidates(choice: Choice, limits: Limits) -> tuple[Candidate, ...]:
    """Return the chosen variant, the next best within the limits, and the fastest of all; each once."""
    best, runner_up, fastest = choice.best, choice.runner_up, choice.fastest
    candidates = [Candidate("chosen", best, "")] if best else []
    if best and runner_up:
        behind = choice.behind.get(runner_up.variant)
        slower = (
            f"its calls surely take longer, by {100 * behind.value:.2g}% ({100 * behind.low:.2g} to "
            f"{100 * behind.high:.2g}, from the same rounds)"
            if behind is not None
            else "slower by the estimates, but it may be as fast"
        )
        as_fast = "it is not surely faster" if best.verdict == "baseline" else slower
        candidates.append(Candidate("next best", runner_up, as_fast))
    if fastest and fastest is not runner_up and gain(fastest) > 1:
        broken = " and ".join(limits.broken(fastest))
        candidates.append(Candidate("fastest", fastest, broken or "it is not surely faster"))
    return tuple(candidates)
