"""The table of what the fusion of pointwise operations gains, for tensors of several sizes."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.core.errors import Unsupported, UserError
from breakeven.core.format import brief
from breakeven.diagnosis.pointwise import BYTES, Pointwise, pays_from, pointwise
from breakeven.diagnosis.pointwise_call import APART, FUSED, NEW, SAME
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
    found = pointwise(seconds)
    console = Console(highlight=False)
    console.print(
        "x * 2 + 1 on one core: two kernels (eager) or one (torch.compile)", style="bold", markup=False
    )
    console.print(table(found))
    for sentence in sentences(found, peaks):
        console.print(Text(paragraph(console, f"- {sentence}")))


def table(found: Sequence[Pointwise]) -> Table:
    """Return two rows a size: each call writes new tensors, or all calls write the same."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("numbers", "KiB", "tensors", "two, µs", "one, µs", "gain of one"):
        shown.add_column(name, justify="right", no_wrap=True)
    for each in found:
        for tensors in (NEW, SAME):
            size = [f"{each.numbers:,}", brief(BYTES * each.numbers / 1024)] if tensors == NEW else ["", ""]
            us = [brief(each.us[kernels, tensors]) for kernels in (APART, FUSED)]
            shown.add_row(*size, tensors, *us, times(each.gains[tensors]))
    return shown


def sentences(found: Sequence[Pointwise], peaks: HardwarePeaks) -> Iterator[str]:
    """Yield from which size on fusion pays, what it saves of the traffic, and what of the allocation."""
    pays = pays_from(found)
    yield (
        f"With new tensors in each call, one kernel surely pays from {pays:,} numbers on."
        if pays
        else "With new tensors in each call, one kernel is not surely faster at every size up to the largest."
    )
    largest = found[-1]
    size = BYTES * largest.numbers
    moved = [largest.gigabytes_per_s(kernels) for kernels in (APART, FUSED)]
    gain = largest.gains[SAME]
    least, saved, most = (f"{1 - 1 / value:.0%}" for value in (gain.low, gain.value, gain.high))
    yield (
        f"Of traffic: at {size / 2**20:.0f} MiB, with the same tensors in all calls, one kernel saves "
        f"{saved} of the time ({least} to {most}); half of the traffic is claimed. Two kernels move "
        f"{moved[0]:.1f} GB/s, and one kernel {moved[1]:.1f}. This core copies "
        f"{peaks.rate(2 * size) / 1e9:.1f} GB/s at most."
    )
    added = [brief(largest.allocation_us(kernels)) for kernels in (APART, FUSED)]
    yield (
        f"Of allocation: new tensors in each call add {added[0]} µs to two kernels, and {added[1]} µs to one."
    )
