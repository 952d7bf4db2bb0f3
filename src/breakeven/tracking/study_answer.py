"""The answer of a study, as its run in MLflow shows it: a description, a tag, and headline metrics."""

from collections.abc import Mapping, Sequence

from breakeven.core.format import brief
from breakeven.results.answer import Candidate, CellAnswer
from breakeven.results.result_row import title
from breakeven.results.score_text import metric_title, score_text
from breakeven.tracking.run_names import RowId, id_of

RunLinks = Mapping[RowId, str]  # row -> the address of its run


def description(cells: Sequence[CellAnswer], links: RunLinks, report: str) -> str:
    """Return what to deploy, as Markdown.

    Args:
        links: addresses of the variants' runs.
        report: the address of the report.
    """
    sections = [_section(each, links) for each in cells]
    return "\n\n".join([*sections, f"[The whole report]({report})"])


def _section(each: CellAnswer, links: RunLinks) -> str:
    answer = each.answer
    facts = [*answer.facts.items(), *(("careful", doubt) for doubt in answer.doubts)]
    lines = [f"- **{label.capitalize()}:** {fact}." for label, fact in facts]
    heading = f"### {each.benchmark.family} on {title(each.rows[0])}"
    parts = [heading, f"**{answer.headline}.**", "\n".join(lines), _table(answer.candidates, links)]
    return "\n\n".join(part for part in parts if part)


def _table(candidates: Sequence[Candidate], links: RunLinks) -> str:
    if not candidates:
        return ""
    metric = metric_title(each.row for each in candidates)
    lines = [f"| | variant | speedup | p50 | {metric} | MB | why not |", "|---|---|---:|---:|---:|---:|---|"]
    for each in candidates:
        row = each.row
        name = f"[{row.variant}]({links[id_of(row)]})" if id_of(row) in links else row.variant
        speedup = f"{row.speedup:.2f}x" if row.speedup else ""
        latency = f"{brief(row.latency_ms_p50)} ms" if row.latency_ms_p50 else ""
        size = f"{row.artifact_mb:.2f}" if row.artifact_mb is not None else ""
        figures = f"{speedup} | {latency} | {score_text(row)} | {size}"
        lines.append(f"| {each.role} | {name} | {figures} | {each.reason} |")
    return "\n".join(lines)


def in_short(cells: Sequence[CellAnswer]) -> str:
    """Return the answer in one line, for a column of a table."""
    return "; ".join(
        f"{each.benchmark.family}: {best.speedup or 1.0:.2f}x by {best.variant}"
        if (best := each.choice.best)
        else f"{each.benchmark.family}: no recommendation"
        for each in cells
    )


def figures(cells: Sequence[CellAnswer]) -> dict[str, float]:
    """Return the headline metrics of a study: each family has its own group of charts."""
    families = [each.benchmark.family for each in cells]
    found: dict[str, float | None] = {
        "variants": sum(bool(row.speedup) and not row.is_twin for each in cells for row in each.rows),
        "warnings": sum(
            len(b.warnings) for b in {id(each.benchmark): each.benchmark for each in cells}.values()
        ),
    }
    for each in cells:
        family = each.benchmark.family
        group = family if families.count(family) == 1 else f"{family}/{each.rows[0].place}"
        twin = next((row for row in each.rows if row.variant == "twin"), None)
        measured = [row.speedup for row in each.rows if row.speedup and not row.is_twin]
        found[f"{group}/best_speedup"] = max(measured, default=None)
        found[f"{group}/twin_speedup"] = twin.speedup if twin else None
        found[f"{group}/noise_floor"] = each.rows[0].noise_floor
        if best := each.choice.best:
            found[f"{group}/recommended_speedup"] = best.speedup
            found[f"{group}/recommended_latency_ms_p50"] = best.latency_ms_p50
            found[f"{group}/recommended_{best.metric}_delta"] = best.score_delta
    return {name: value for name, value in found.items() if value is not None}
