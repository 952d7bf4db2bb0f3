"""The table of what the fusion of pointwise operations gains, for tensors of several sizes."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.core.errors import Unsupported, UserError
from breakeven.core.format import brief
from breakeven.diagnosis.pointwise import APART, BYTES, FUSED, SIZES, Pointwise, pays_from, pointwise
from breakeven.engine.roofline import HardwarePeaks, probe
from breakeven.report.terminal_table import paragraph
from breakeven.results.ladder_record import times

PROCESSOR = {"name": "cpu", "threads": 1}


def show(seconds: float) -> None:
    """Measure and print from which size on one kernel is faster than two, and what traffic it saves.

    Args:
        seconds: to measure for.
    """
    try:
        peaks = probe(PROCESSOR)
    except Unsupported as error:
        raise UserError(f"The processor's bandwidth cannot be measured: {error}.") from None
    found = pointwise(seconds / len(SIZES))
    console = Console(highlight=False)
    console.print(
        "x * 2 + 1 on one core: two kernels (eager) or one (torch.compile)", style="bold", markup=False
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("numbers", "KiB", "two, µs", "one, µs", "gain of one"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        us = [brief(each.us[kernels]) for kernels in (APART, FUSED)]
        table.add_row(f"{each.numbers:,}", brief(BYTES * each.numbers / 1024), *us, times(each.gain))
    console.print(table)
    for sentence in sentences(found, peaks):
        console.print(Text(paragraph(console, f"- {sentence}")))


def sentences(found: Sequence[Pointwise], peaks: HardwarePeaks) -> Iterator[str]:
    """Yield from which size on fusion pays, and which share of the time in memory it saves."""
    pays = pays_from(found)
    yield (
        f"One kernel surely pays from {pays:,} numbers on."
        if pays
        else "One kernel is not surely faster at any size up to the largest."
    )
    largest = found[-1]
    size = BYTES * largest.numbers
    moved = [largest.gigabytes_per_s(kernels) for kernels in (APART, FUSED)]
    saved = 1 - 1 / largest.gain.value
    yield (
        f"At {size / 2**20:.0f} MiB, it saves {saved:.0%} of the time; half of the traffic is claimed. "
        f"By this count two kernels move {moved[0]:.1f} GB/s, and one kernel {moved[1]:.1f}. This core "
        f"reads and writes {peaks.rate(2 * size) / 1e9:.1f} GB/s at most."
    )
