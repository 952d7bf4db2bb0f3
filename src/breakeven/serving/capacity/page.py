"""The page of Markdown with what services and several callers of a study were seen to do."""

from collections.abc import Sequence
from pathlib import Path

from breakeven.core.files import write_text
from breakeven.core.format import brief
from breakeven.engine.settings import ALONE
from breakeven.engine.statistics import latency
from breakeven.report import static_svg
from breakeven.report.markdown import table
from breakeven.results.callers import CallersRecord
from breakeven.results.served import CONFIDENCE, BatchingRecord, ServedRecord
from breakeven.serving.capacity.callers_findings import title, told
from breakeven.serving.capacity.recorded import Recorded, section

INTRODUCTION = """\
# What is left of a speedup behind a service

Offline, a loop calls the model. Behind a service, a request also takes HTTP, decoding, a queue, and the way
to the model's process and back. Machine: {machine}.
Intervals hold at 95%, and "surely" means with a confidence of 95%. `cpu1` is one core.
[How it is measured](../serving.md#is-it-still-faster-behind-the-service).
`{command}` makes these results again, and `breakeven publish {page} --served` makes this page of them.
"""


def write(page: Path, records: Sequence[Recorded], command: str) -> list[Path]:
    """Write the page and its pictures; return their paths.

    Args:
        command: what makes the results again.
    """
    parts = [INTRODUCTION.format(machine=records[0].machine, command=command, page=page)]
    written = [page]
    for record in records:
        own = section(record)
        listed = "\n".join(f"- {sentence}" for sentence in own.sentences)
        tables = _served(record) if isinstance(record, ServedRecord) else [_callers(record)]
        parts += [f"## {own.title}\n", f"{listed}\n", *(f"{each}\n" for each in tables)]
        for chart in own.charts:
            picture = page.with_name(f"{page.stem}_{chart.name}.svg")
            static_svg.write_chart(picture, chart)
            written.append(picture)
            parts.append(f"![{chart.description}]({picture.name})\n")
    write_text(page, "\n".join(parts))
    return written


def _served(record: ServedRecord) -> list[str]:
    limit = f"requests/s with p99 ≤ {record.limit_ms:g} ms"
    rows = table(
        ["variant", "offline p50, ms", "served p50, ms", "served p99, ms", limit],
        [
            [
                f"`{row.variant}`",
                brief(row.offline_p50_ms),
                *(brief(latency(each, CONFIDENCE).value) for each in (row.p50_ms, row.p99_ms)),
                f"{row.capacity_per_s:,.0f}" if row.capacity_per_s else "none",
            ]
            for row in record.rows
        ],
        left=1,
    )
    return [rows, *([_batching(record.batching)] if record.batching else [])]


def _batching(found: BatchingRecord) -> str:
    lines = [
        [f"{each.per_s:,.0f}", told(each.gain) if each.gain else "without batching, requests are refused"]
        for each in found.tried
    ]
    return table(["requests/s", "so many times as soon with batching (mean)"], lines, left=0)


def _callers(record: CallersRecord) -> str:
    arrangements = [each for row in [*record.measured][:1] for each in row.arrangements()]
    lines = [
        [
            f"`{row.variant}`",
            f"{latency(dict(row.per_s)[ALONE], CONFIDENCE).value:,.0f}",
            *(told(row.gain(each)) for each in arrangements[1:]),
        ]
        for row in record.measured
    ]
    return table(["variant", "calls/s of 1 caller", *map(title, arrangements[1:])], lines, left=1)
