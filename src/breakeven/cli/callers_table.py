"""The table of what several callers got through."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.engine.settings import ALONE
from breakeven.engine.statistics import latency
from breakeven.report.terminal_table import paragraph
from breakeven.results.callers import CONFIDENCE, CallersRecord
from breakeven.serving.capacity.callers_findings import sentences, title, told


def show(record: CallersRecord) -> None:
    """Print a row for each arrangement of each variant, and the sentences."""
    console = Console(highlight=False)
    heading = f"{record.family}: several callers at once, on {record.cores} cores"
    console.print(heading, style="bold", markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("callers of each variant", no_wrap=True)
    for name in ("calls/s", "beside 1 caller"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in record.measured:
        table.add_row(row.variant)
        for number, (arrangement, per_s) in enumerate(row.per_s):
            table.add_row(
                f"  {title(arrangement)}",
                f"{latency(per_s, CONFIDENCE).value:,.0f}",
                "" if arrangement == ALONE else told(row.gain(arrangement)),
                end_section=number == len(row.per_s) - 1,
            )
    console.print(table)
    for sentence in sentences(record):
        console.print(Text(paragraph(console, f"- {sentence}")))
