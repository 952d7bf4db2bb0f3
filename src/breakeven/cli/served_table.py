"""The table of what a service was seen to do."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.core.format import brief
from breakeven.engine.statistics import latency
from breakeven.report.terminal_table import paragraph
from breakeven.results.served import CONFIDENCE, ServedRecord


def show(record: ServedRecord, sentences: Sequence[str]) -> None:
    """Print a row for each variant, and the sentences."""
    console = Console(highlight=False)
    console.print(f"{record.family} on {record.hardware}, behind a service", style="bold", markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("variant", no_wrap=True)
    for name in (
        "offline p50, ms",
        "served p50, ms",
        "served p99, ms",
        f"requests/s, p99 ≤ {record.limit_ms:g} ms",
    ):
        table.add_column(name, justify="right")
    for row in record.rows:
        found = [row.offline_p50_ms, *(latency(each, CONFIDENCE).value for each in (row.p50_ms, row.p99_ms))]
        most = f"{row.capacity_per_s:,.0f}" if row.capacity_per_s else "none"
        table.add_row(row.variant, *map(brief, found), most)
    console.print(table)
    for sentence in sentences:
        console.print(Text(paragraph(console, f"- {sentence}")))
