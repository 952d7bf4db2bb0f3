"""What a sweep shows, in at most five sentences, for the terminal, the report, MLflow and the pages."""

from collections.abc import Iterator, Sequence

from breakeven.core.format import brief, counted
from breakeven.engine.statistics import FASTER
from breakeven.results.answer import speedup_bounds
from breakeven.results.result_row import ResultRow, title
from breakeven.results.score_text import metric_title
from breakeven.results.size_trend import MIN_MODELS, UNDECIDED
from breakeven.results.sweep_analysis import SweepAnalysis, by_family

NAMED = 2  # failures that a sentence quotes; it counts the others


def sentences(swept: SweepAnalysis) -> list[str]:
    """Return which family gains most, from which size on, and what failed."""
    best = [row for _, rows in by_family(swept.single or swept.judged) if (row := _best(rows))]
    return [*_gains(swept, best), *_size(swept, best), *_failures(swept)]


def _best(rows: Sequence[ResultRow]) -> ResultRow | None:
    """Return the row that a family gains most by: the recommended one, or the surely fastest if none is.

    No variant with random weights is recommended, because its accuracy is unknown.
    """
    able = [row for row in rows if row.recommended] or [row for row in rows if row.verdict == FASTER]
    return max(able, key=lambda row: row.speedup or 0.0, default=None)


def _gains(swept: SweepAnalysis, best: Sequence[ResultRow]) -> Iterator[str]:
    if not swept.rows:
        return
    faster = sorted((row for row in best if row.verdict == FASTER), key=lambda row: -(row.speedup or 0.0))
    if not faster:
        yield "No variant is surely faster than its baseline within the limits."
        return
    most, least = faster[0], faster[-1]
    kept = (
        f"it keeps the limits, such as that on {metric_title([most])}"
        if most.recommended and most.metric == "accuracy"
        else "it keeps the limits"
        if most.recommended
        else f"its {metric_title([most])} was not held against any limit"
    )
    yield f"{most.family} gains most: {_gain(most)}; {kept}."
    if least is not most:
        yield f"Of {counted(len(faster), 'model')} that gain, {least.family} gains least: {_gain(least)}."


def _gain(row: ResultRow) -> str:
    return f"{row.speedup or 1.0:.2f}x{speedup_bounds(row)} by {row.variant} on {title(row)}"


def _size(swept: SweepAnalysis, best: Sequence[ResultRow]) -> Iterator[str]:
    """Yield from which size on the variant pays that most families gain most by."""
    models = {(row.macs, row.params) for row in swept.plain}
    if len(models) < MIN_MODELS:
        if len(models) > 1:
            yield (
                f"From which size on a variant pays is not known: that takes {MIN_MODELS} models of "
                f"different sizes, and {len(models)} were measured."
            )
        return
    wins = [(row.variant, row.hardware) for row in best if row.verdict == FASTER]
    trends = sorted(swept.trends, key=lambda each: (-wins.count((each.variant, each.hardware)), each.variant))
    if trends:
        each = trends[0]
        grows = (
            "whether its gain grows is undecided" if each.verdict == UNDECIDED else f"its gain {each.verdict}"
        )
        sizes = f"{brief(each.smallest / 1e6)} to {brief(each.largest / 1e6)} million {each.size.unit}"
        where = f"{each.variant} on {each.hardware}"
        yield f"{where} is faster {each.pays}; {grows} ({each.models} models, {sizes})."


def _failures(swept: SweepAnalysis) -> Iterator[str]:
    jobs = len(swept.sweep.jobs)
    failed = [f"{outcome.title}: {outcome.reason.rstrip('.')}" for outcome in swept.sweep.failed()]
    if failed:
        which = f"{len(failed)} of {counted(jobs, 'job')} failed"
        yield f"{which}: {_quoted(failed)}. The same command tries them again."
    without = [
        *(f"{what}, {times} times" if times > 1 else what for what, times in swept.unmeasured.items()),
        *swept.unreliable,
        *(f"{job}: {reason.rstrip('.')}" for job, reason in swept.missing.items()),
    ]
    if without:
        yield f"Without figures or verdict: {_quoted(without)}."
    elif not failed:
        yield f"All {jobs} jobs succeeded." if jobs > 1 else "The job succeeded."


def _quoted(reasons: Sequence[str]) -> str:
    more = f"; and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
    return f"{'; '.join(reasons[:NAMED])}{more}"
