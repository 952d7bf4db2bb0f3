"""The page of Markdown with a study's results, to commit under `docs/results/`."""

import shlex
from collections.abc import Iterable, Sequence

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.artifacts.operators import PRECISIONS
from breakeven.plugins.tasks.base import PERCENT, figure_text
from breakeven.report.markdown import WIDE_PAGE, table
from breakeven.report.row_columns import columns_of
from breakeven.report.row_text import interval, number
from breakeven.report.terminal_table import scenarios, warnings
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, title
from breakeven.results.score_text import metric_title
from breakeven.results.study_results import StudyResults

ACCURACY_DROPS = (0.1, 0.3, 0.5, 1.0)  # percentage points of accuracy that a user may be willing to lose
DECIDED_VERDICTS = ("faster", "slower", "same")
UNRELIABLE_TEXT = "No variant has a verdict: nothing can be recommended from this run."
TIMED_VERDICTS = ("faster", "slower", "same", "undecided", "baseline", "twin")


def render(
    study: str, overrides: Sequence[str], study_records: StudyResults, rows: Sequence[ResultRow]
) -> str:
    """Return the whole page.

    Args:
        overrides: the overrides that the study was composed with.
        rows: of all benchmarks, with the best ones marked.
    """
    benchmarks = study_records.benchmarks
    machines = sorted({benchmark.machine["name"] for benchmark in benchmarks})
    commits = sorted({f"`{b.commit[:9]}`{' with local changes' if b.dirty else ''}" for b in benchmarks})
    parts = [
        f"{WIDE_PAGE}# The study `{study}`",
        "Written by `breakeven publish`; all columns are in the CSV file beside it.",
        f"Machine: {'; '.join(machines)}. Measured at {', '.join(commits)}.",
        f"```\n{shlex.join(['breakeven', 'compose', *overrides])}\ndvc repro\n```",
        "## Models",
        _models(study_records.cards),
    ]
    for benchmark in benchmarks:
        for scenario_rows in scenarios(benchmark, rows):
            parts += _scenario(benchmark, scenario_rows)
    return "\n\n".join(part for part in parts if part) + "\n"


def _models(cards: Iterable[ModelManifest]) -> str:
    """Return the table of models, with one row for each training or compression step."""
    lines = []
    for card in cards:
        steps = [*card.details.get("before", []), vars(card)] if card.recipe != "none" else [vars(card)]
        for order, step in enumerate(steps[1:] if len(steps) > 1 else steps):
            name = f"{card.family} ({card.title})" if card.recipe == "none" else ""
            lines.append(
                [
                    name if not order else "",
                    card.recipe if not order else "",
                    step["made"],
                    _score(step["val_score"], card.unit),
                    _score(step["test_score"], card.unit),
                    f"{step['parameters']:,}",
                    f"{step['macs'] / 1e6:,.2f}",
                    f"{step['megabytes']:.2f}",
                    f"{step['train_s']:,.0f}",
                ]
            )
    sizes = ("parameters", "million MACs", "MB of weights", "seconds of training")
    return table(["family", "recipe", "step", "validation", "test", *sizes], lines, left=3)


def _score(score: float | None, unit: str) -> str:
    return "untrained" if score is None else figure_text(score, unit)


def _scenario(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> list[str]:
    timed = sorted(
        (r for r in rows if r.verdict in TIMED_VERDICTS and r.speedup), key=lambda r: -(r.speedup or 0)
    )
    twin = next((row for row in rows if row.variant == "twin"), None)
    floor = f"differences below {twin.noise_floor - 1:.1%} are noise; " if twin and twin.noise_floor else ""
    columns = columns_of("markdown", rows)
    lines = [[column.text(row) for column in columns] for row in timed]
    for row, line in zip(timed, lines, strict=True):
        line[0] = f"**{row.variant}**" if row.pareto else row.variant
    reasons = [f"- {row.variant}: {row.verdict}, {row.reason}" for row in rows if row.reason]
    executed = [f"- {row.variant}: {row.execution}" for row in timed if row.execution]
    return [
        f"## {benchmark.family} ({benchmark.title}) on {title(rows[0])}",
        table([column.title for column in columns], lines, left=2),
        f"{max(row.replicates for row in rows)} replicates; {floor}{benchmark.test_images:,} test samples. "
        "Bold: no other variant is at once as fast, as accurate and as small.",
        *_bargains(timed),
        "### How near to the hardware's peaks",
        _peaks(benchmark, timed),
        *(["### What else is known of how it executes", "\n".join(executed)] if executed else []),
        *(["### Not measured, or not as its name says", "\n".join(reasons)] if reasons else []),
        _warnings(benchmark, rows[0]),
    ]


def _bargains(rows: Sequence[ResultRow]) -> list[str]:
    """Return the table of the fastest and the smallest variant for each allowed loss of percent scores."""
    if not rows or rows[0].metric_unit != PERCENT:
        return []
    heading = f"### What a given loss of {metric_title(rows)} buys"
    if not any(row.verdict in DECIDED_VERDICTS for row in rows):
        return [heading, UNRELIABLE_TEXT]
    lines = []
    candidates = [
        row for row in rows if row.verdict in (*DECIDED_VERDICTS, "baseline") and row.score_delta is not None
    ]
    size = next((row.artifact_mb for row in rows if row.verdict == "baseline"), None)
    for drop in ACCURACY_DROPS:
        sign = -100 if rows[0].metric_better == "higher" else 100
        able = [row for row in candidates if sign * (row.score_delta or 0.0) <= drop + 1e-9]
        plain = [row for row in able if row.compression == "none"]
        small = min(able, key=lambda row: row.artifact_mb or 0.0, default=None)
        lines.append(
            [
                f"{drop:g}",
                *(_fastest(group) for group in (plain, able)),
                f"{small.variant}: 1/{size / small.artifact_mb:.1f}"
                if small and size and small.artifact_mb
                else "",
            ]
        )
    header = ["points at most, as estimated", "fastest without compression", "fastest", "smallest artifact"]
    return [heading, table(header, lines, left=4)]


def _fastest(rows: Sequence[ResultRow]) -> str:
    best = max(rows, key=lambda row: row.speedup or 0.0, default=None)
    if best is None or not best.speedup_ci_low:
        return best.variant if best else ""
    return f"{best.variant}: {best.speedup:.2f}x ({interval(best)})"


def _peaks(benchmark: BenchmarkResult, rows: Sequence[ResultRow]) -> str:
    """Return the table of the best variant of the uncompressed model in each precision."""
    lines = []
    for precision in PRECISIONS:
        precision_rows = [
            row
            for row in rows
            if row.precision.startswith(precision) and row.compression == "none" and row.roofline_share
        ]
        best = max(precision_rows, key=lambda row: row.roofline_share or 0.0, default=None)
        if best:
            peak = f"{benchmark.peaks['operations'][precision] / 1e9:,.0f}"
            lines.append([precision, peak, best.variant, number(best.roofline_share, ".0%")])
    header = ["precision", "peak, 10^9 operations a second", "nearest variant", "share of the roofline"]
    if not lines:
        return "The peaks of this hardware are not known."
    moved = ", ".join(
        f"{rate / 1e9:,.0f} ({int(size) / 2**20:g} MiB)" for size, rate in benchmark.peaks["bytes"].items()
    )
    return (
        f"{table(header, lines, left=1)}\n\nPeaks by a probe of matrix products, "
        f"and of copies and sums of as much as is in use: {moved} GB/s."
    )


def _warnings(benchmark: BenchmarkResult, row: ResultRow) -> str:
    lines = [f"- {warning}" for warning in warnings(benchmark, row)]
    return "\n".join(["### Warnings", "", *lines]) if lines else ""
