"""The page of Markdown with a sweep's results: break-even sizes, speedups, combinations, Pareto fronts."""

from collections.abc import Iterable, Mapping, Sequence

from breakeven.core.format import brief, counted
from breakeven.report.markdown import WIDE_PAGE, table
from breakeven.report.row_text import calls, interval, number
from breakeven.report.size_ranges import where_it_pays
from breakeven.results import sweep_answer
from breakeven.results.answer import speedup_bounds
from breakeven.results.interaction import best, changing
from breakeven.results.result_row import SPECIAL, ResultRow, title
from breakeven.results.score_text import metric_title, score_text
from breakeven.results.size_trend import PARAMETERS, Trend
from breakeven.results.sweep_analysis import SweepAnalysis, by_family


def render(swept: SweepAnalysis, pictures: Mapping[str, str]) -> str:
    """Return the whole page.

    Args:
        pictures: title -> name of a file beside the page.
    """
    sweep, done = swept.sweep, len(swept.jobs)
    failed = [f"- {outcome.title}: {outcome.reason}" for outcome in sweep.failed()]
    missing = [f"- {title}: {reason}" for title, reason in swept.missing.items()]
    parts = [
        f"{WIDE_PAGE}# The sweep `{sweep.study}`",
        "Written by `breakeven analyse`; all columns are in the CSV file beside it.",
        f"Machine: {'; '.join(swept.machines)}. {counted(done, 'job')}, measured in "
        f"{counted(round(swept.seconds / 60), 'minute')}.",
        "\n".join(f"- {sentence}" for sentence in sweep_answer.sentences(swept)),
        *_random(swept),
        *_where(swept),
        *(f"![{title}]({file})" for title, file in pictures.items()),
        f"```\n{sweep.command}\n```",
        *_models(swept),
        *_sizes(swept),
        *_calls(swept.single),
        *_batches(swept.judged),
        *_combinations(swept),
        *_fronts(swept.fronts),
        *_unmeasured(swept),
        *_unreliable(swept),
        *(["## Jobs that failed", "\n".join(failed)] if failed else []),
        *(["## Jobs whose results are missing", "\n".join(missing)] if missing else []),
    ]
    return "\n\n".join(parts) + "\n"


def _random(swept: SweepAnalysis) -> Iterable[str]:
    if names := swept.untrained:
        which = "All models" if len(names) == len(by_family(swept.rows)) else ", ".join(names)
        yield f"With random weights, so without accuracies, and never recommended: {which}."


def _where(swept: SweepAnalysis) -> Iterable[str]:
    if pays := where_it_pays(swept.single):
        yield (
            "At which sizes is a variant faster per call than the baseline? Training, build and start must "
            "still be paid back: the break-even in calls says when."
        )
        yield pays


def _sizes(swept: SweepAnalysis) -> Iterable[str]:
    if not swept.trends:
        return
    yield "## Break-even in model size"
    if swept.answer:
        yield f"**Does {swept.sweep.growing_runtime}'s gain grow with the model?** {swept.answer}"
    yield (
        "A factor of 0.65: a model with ten times the work has 65% of the speedup. The fit is one line "
        "through all models. It says nothing about one architecture: the table of speedups below does."
    )
    yield _trends(swept.trends, "work")
    yield (
        '<details markdown="1">\n<summary>The same against the number of parameters</summary>\n\n'
        f"{_trends(swept.trends_over[PARAMETERS], 'parameters')}\n\n</details>"
    )


def _trends(trends: Iterable[Trend], size: str) -> str:
    header = [
        *("variant", "hardware", "models", "faster on", "slower on", f"rank correlation with {size}"),
        *("gain", f"factor for ten times the {size}", "faster than eager, by the fit"),
    ]
    lines = [
        [
            each.variant,
            each.hardware,
            f"{each.models}",
            f"{each.faster}",
            f"{each.slower}",
            f"{each.correlation.value:+.2f} ({each.correlation.low:+.2f} to {each.correlation.high:+.2f})",
            each.verdict,
            f"{each.slope:.2f}",
            each.pays,
        ]
        for each in trends
    ]
    return table(header, lines, left=2)


def _models(swept: SweepAnalysis) -> Iterable[str]:
    """Yield the tables of speedups, with one row for each model."""
    rows = swept.single
    if rows:
        yield "## Speedups over eager fp32"
        yield (
            "With their intervals, batch 1. A speedup in square brackets: not decided, whether faster or "
            "slower. Empty: not measured. If several jobs measured a model, the first counts; the CSV file "
            "has all."
        )
    variants = sorted(
        {row.variant for row in rows if row.compression == "none" and row.verdict not in SPECIAL}
    )
    for hardware in sorted({row.hardware for row in rows}):
        lines = []
        for family, family_rows in by_family(row for row in rows if row.hardware == hardware):
            base = next((row for row in family_rows if row.verdict == "baseline"), family_rows[0])
            rows_by_variant = {row.variant: row for row in family_rows}
            cells = [_gain(rows_by_variant.get(variant)) for variant in variants]
            size = [
                brief(base.params / 1e6),
                brief(base.macs / 1e6),
                number(base.latency_ms_p50, ".3g"),
            ]
            lines.append([family, *size, *cells])
        header = ["model", "million parameters", "million MACs", "eager p50 ms", *variants]
        yield f"### On {hardware}"
        yield table(header, lines, left=1)
    if swept.rows and all(row.batch_size > 1 or row.callers > 1 for row in swept.rows):
        yield "Sizes of models, and calls, are analysed with single inputs: `measure.batch_sizes` lacks 1."


def _gain(row: ResultRow | None) -> str:
    if row is None:
        return ""
    if row.speedup is None:
        return row.verdict
    value = f"{row.speedup:.2f}{speedup_bounds(row)}"
    return value if row.verdict in ("faster", "slower", "same") else f"[{value}]"


def _calls(rows: Sequence[ResultRow]) -> Iterable[str]:
    """Yield the section on break-even calls: when training, build and start are paid back."""
    variants = sorted({row.variant for row in rows if row.breakeven_calls and row.verdict not in SPECIAL})
    if not variants:
        return
    yield "## Break-even in calls"
    for hardware in sorted({row.hardware for row in rows}):
        lines = []
        for family, family_rows in by_family(row for row in rows if row.hardware == hardware):
            calls_by_variant = {row.variant: calls(row) for row in family_rows}
            lines.append([family, *(calls_by_variant.get(variant, "") for variant in variants)])
        yield (
            f"Calls on {hardware} until a variant has paid back the training of its compression, its build, "
            "its load and its warm-up, with bounds:"
        )
        cells = [["model", *variants], *lines]
        if len(variants) > len(lines):  # transpose, so that the page is narrow
            cells = [
                ["variant", *(line[0] for line in lines)],
                *map(list, list(zip(*cells, strict=True))[1:]),
            ]
        yield table(cells[0], cells[1:], left=1)


def _batches(rows: Sequence[ResultRow]) -> Iterable[str]:
    """Yield the section on the fastest variant by threads and batch size."""
    fastest = best(rows)
    places = sorted({(hardware, batch) for _, hardware, batch in fastest})
    if len(places) < 2:
        return
    yield "## The fastest variant, by threads and batch"
    surely = changing(rows, fastest)
    yield (
        "By the estimates. The models for which it surely changes, each of two variants having its whole "
        f"interval above the other's in one place: {', '.join(surely) or 'none'}."
    )
    lines = []
    for family, _ in by_family(rows):
        winners = [fastest.get((family, *place)) for place in places]
        lines.append(
            [family, *(f"{w.variant} ({w.speedup:.2f}x)" if w and w.speedup else "" for w in winners)]
        )
    yield table(["model", *(f"{hardware}, batch {batch}" for hardware, batch in places)], lines, left=1)


def _combinations(swept: SweepAnalysis) -> Iterable[str]:
    lines = [
        [
            each.row.family,
            each.row.variant,
            f"{each.row.speedup:.2f} ({interval(each.row)})",
            f"{each.product:.2f}",
            f"{each.ratio.value:.2f} ({each.ratio.low:.2f} to {each.ratio.high:.2f})",
            each.verdict,
        ]
        for each in swept.interactions
    ]
    if lines:
        yield "## Combinations: are they the product of their parts?"
        yield (
            "The product is the gain of the compression in eager fp32, times the gain of the runtime and "
            "precision on the uncompressed model, all against the same baseline in the same rounds."
        )
        header = ["model", "variant", "speedup", "product of the parts", "speedup over the product", "it is"]
        yield table(header, lines, left=2)


def _fronts(rows: Sequence[ResultRow]) -> Iterable[str]:
    lines = [
        [
            *(row.family, title(row), row.variant),
            *(number(row.speedup, ".2f"), number(row.latency_ms_p50, ".3f")),
            *(score_text(row), number(row.artifact_mb, ".2f")),
        ]
        for row in rows
    ]
    if lines:
        metric = metric_title(rows)
        yield f"## Pareto fronts: gain, {metric}, size"
        header = ["model", "called with", "variant", "speedup", "p50 ms", metric, "MB"]
        yield table(header, lines, left=3)


def _unmeasured(swept: SweepAnalysis) -> Iterable[str]:
    if swept.unmeasured:
        yield "## What there are no figures of"
        yield "\n".join(f"- {what} ({times} times)" for what, times in swept.unmeasured.items())


def _unreliable(swept: SweepAnalysis) -> Iterable[str]:
    if swept.unreliable:
        yield "## Not judged"
        yield ("Nothing above counts these. The same command measures just them again:")
        yield "\n".join(f"- {where}" for where in swept.unreliable)
