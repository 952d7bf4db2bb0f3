"""A sweep's results as a page of Markdown: who pays from which size on, and what combinations come to."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from breakeven.report.interaction import best, interactions
from breakeven.report.markdown import table
from breakeven.report.size import GROWS, SHRINKS, Trend, trend
from breakeven.report.table import interval, number
from breakeven.result import Row, cell
from breakeven.sweeps import Sweep

HYPOTHESIS = "torchscript"  # its gain is said to grow with the model
SPECIAL = ("baseline", "control")


def render(
    sweep: Sweep, jobs: Sequence[Sequence[Row]], trends: Sequence[Trend], pictures: Mapping[str, str]
) -> str:
    """The whole page.

    Args:
        jobs: the rows of each; only those of one job were measured side by side.
        trends: of the variants over all of them.
        pictures: title -> file, beside the page.
    """
    rows = [row for job in jobs for row in job]
    single = [row for row in rows if row.batch_size == 1 and row.callers == 1]
    failed = [f"- {outcome.title}: {outcome.reason}" for outcome in sweep.jobs if outcome.reason]
    parts = [
        f"# The sweep `{sweep.study}`",
        "Written by `breakeven analyse`; all columns are in the CSV file beside it.",
        f"Machine: {'; '.join(sorted({row.machine for row in rows}))}. {len(sweep.known())} jobs.",
        f"```\n{sweep.command}\n```",
        *_sizes(trends),
        *(f"![{title}]({file})" for title, file in pictures.items()),
        *_models(single),
        *_calls(single),
        *_batches(rows),
        *_combinations(jobs),
        *_fronts(rows),
        *(["## Jobs that failed", "\n".join(failed)] if failed else []),
    ]
    return "\n\n".join(parts) + "\n"


def trends_of(rows: Iterable[Row], confidence: float) -> Iterable[Trend]:
    """Those of each variant of uncompressed models on each hardware."""
    plain = [row for row in rows if row.compression == "none" and row.verdict not in SPECIAL]
    for _, group in groupby(sorted(plain, key=_place), key=_place):
        if found := trend(list(group), confidence):
            yield found


def _place(row: Row) -> tuple[str, str]:
    return row.hardware, row.variant


def _sizes(trends: Sequence[Trend]) -> Iterable[str]:
    if not trends:
        return
    yield "## Break-even in model size"
    if mine := [each for each in trends if HYPOTHESIS in each.variant]:
        yield f"**Does TorchScript's gain grow with the model?** {_answer(mine)}"
    header = [
        *("variant", "hardware", "models", "faster on", "slower on", "rank correlation with work"),
        *("gain", "factor for ten times the work", "faster than eager, by the fit"),
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
    yield table(header, lines, left=2)


def _answer(found: Sequence[Trend]) -> str:
    """One sentence, with its evidence."""
    said = {GROWS: "Yes, it grows", SHRINKS: "No, the opposite: it shrinks as the model grows"}
    verdicts = {each.verdict for each in found}
    answer = said.get(verdicts.pop(), "That is not decided") if len(verdicts) == 1 else "It depends"
    evidence = (
        f"{each.variant} on {each.hardware}: rank correlation {each.correlation.value:+.2f} "
        f"({each.correlation.low:+.2f} to {each.correlation.high:+.2f}) over {each.models} models, "
        f"faster than eager on {each.faster}, slower on {each.slower}"
        for each in found
    )
    return f"{answer} ({'; '.join(evidence)})."


def _models(rows: Sequence[Row]) -> Iterable[str]:
    """Speedups, a row a model."""
    variants = sorted(
        {row.variant for row in rows if row.compression == "none" and row.verdict not in SPECIAL}
    )
    for hardware in sorted({row.hardware for row in rows}):
        lines = []
        for family, mine in _by_family(row for row in rows if row.hardware == hardware):
            base = next((row for row in mine if row.verdict == "baseline"), mine[0])
            known = {row.variant: row for row in mine}
            cells = [_gain(known.get(variant)) for variant in variants]
            size = [
                f"{base.params / 1e6:,.3g}",
                f"{base.macs / 1e6:,.3g}",
                number(base.latency_ms_p50, ".3g"),
            ]
            lines.append([family, *size, *cells])
        header = ["model", "million parameters", "million MACs", "eager p50 ms", *variants]
        yield f"### Speedups over eager fp32 on {hardware}, batch 1"
        yield table(header, lines, left=1)
    yield "In brackets: not decided. Empty: not measured."


def _gain(row: Row | None) -> str:
    if row is None:
        return ""
    if row.speedup is None:
        return row.verdict
    return f"{row.speedup:.2f}" if row.verdict in ("faster", "slower", "same") else f"({row.speedup:.2f})"


def _calls(rows: Sequence[Row]) -> Iterable[str]:
    """How many inferences until build and load are paid back."""
    variants = sorted({row.variant for row in rows if row.breakeven_calls and row.verdict not in SPECIAL})
    if not variants:
        return
    yield "## Break-even in calls"
    for hardware in sorted({row.hardware for row in rows}):
        lines = []
        for family, mine in _by_family(row for row in rows if row.hardware == hardware):
            known = {row.variant: row.breakeven_calls or "" for row in mine}
            lines.append([family, *(known.get(variant, "") for variant in variants)])
        yield f"Calls after which build, load and the calls until steady are paid back, on {hardware}:"
        yield table(["model", *variants], lines, left=1)


def _batches(rows: Sequence[Row]) -> Iterable[str]:
    """Where the fastest variant changes with threads or batch."""
    found = best(rows)
    places = sorted({(hardware, batch) for _, hardware, batch in found})
    if len(places) < 2:
        return
    yield "## The fastest variant, by threads and batch"
    lines = []
    for family, _ in _by_family(rows):
        winners = [found.get((family, *place)) for place in places]
        lines.append(
            [family, *(f"{w.variant} ({w.speedup:.2f}x)" if w and w.speedup else "" for w in winners)]
        )
    yield table(["model", *(f"{hardware}, batch {batch}" for hardware, batch in places)], lines, left=1)


def _combinations(jobs: Sequence[Sequence[Row]]) -> Iterable[str]:
    lines = []
    for group in (group for job in jobs for _, group in groupby(sorted(job, key=cell), key=cell)):
        for each in interactions(group):
            ratio = each.ratio
            lines.append(
                [
                    each.row.family,
                    each.row.variant,
                    f"{each.row.speedup:.2f} ({interval(each.row)})",
                    f"{each.product:.2f}",
                    f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
                    each.verdict,
                ]
            )
    if lines:
        yield "## Combinations: are they the product of their parts?"
        yield (
            "The product is the gain of the compression in eager fp32, times the gain of the runtime and "
            "precision on the uncompressed model, all against the same baseline in the same rounds."
        )
        header = ["model", "variant", "speedup", "product of the parts", "speedup over the product", "it is"]
        yield table(header, lines, left=2)


def _fronts(rows: Sequence[Row]) -> Iterable[str]:
    """What no other variant of its job beats in latency, accuracy and size at once."""
    front = {
        (row.family, row.hardware, row.variant): row
        for row in sorted(rows, key=lambda row: (row.family, row.hardware, row.latency_ms_p50 or 0.0))
        if row.pareto and row.verdict not in SPECIAL
    }
    lines = [
        [
            *names,
            *(number(row.latency_ms_p50, ".3f"), number(row.accuracy, ".2%"), number(row.artifact_mb, ".2f")),
        ]
        for names, row in front.items()
    ]
    if lines:
        yield "## Pareto fronts: latency, accuracy, size"
        yield table(["model", "hardware", "variant", "p50 ms", "accuracy", "MB"], lines, left=3)


def _by_family(rows: Iterable[Row]) -> Iterable[tuple[str, list[Row]]]:
    """Families from small to large."""
    mine: dict[str, list[Row]] = {}
    for row in rows:
        mine.setdefault(row.family, []).append(row)
    return sorted(mine.items(), key=lambda item: max(row.macs for row in item[1]))
