"""Pictures of a sweep: speedup against the size of the model, for each hardware."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from breakeven.core.svg import drawn
from breakeven.results.records import ResultRow
from breakeven.results.size_trend import Trend
from breakeven.results.sweep_analysis import noise_floor

# Okabe and Ito's colours, which the colour-blind can tell apart, and marks for those who see none
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKS = "os^vDPX*<>"


def draw(path: Path, hardware: str, rows: Iterable[ResultRow], trends: Sequence[Trend]) -> None:
    """Write an SVG: points with intervals, the fitted lines, and the noise floor shaded.

    Args:
        rows: of single streams.
        trends: at least one on this hardware.
    """
    rows = [row for row in rows if row.hardware == hardware and row.speedup and row.speedup_ci_low]
    mine = [found for found in trends if found.hardware == hardware]
    size = mine[0].size
    with drawn(path, 9, 5.5) as figure:
        axis: Any = figure.subplots()
        floor = noise_floor(rows)
        axis.axhspan(1 / floor, floor, color="#dddddd", zorder=0)
        axis.axhline(1, color="black", linewidth=0.8)
        for number, found in enumerate(mine):
            colour, mark = COLOURS[number % len(COLOURS)], MARKS[number % len(MARKS)]
            points = [row for row in rows if row.variant == found.variant]
            for row in points:
                bounds = [row.speedup_ci_low, row.speedup_ci_high]
                axis.plot([size.of(row)] * 2, bounds, color=colour, alpha=0.4)
            sizes, gains = [size.of(row) for row in points], [row.speedup for row in points]
            axis.plot(sizes, gains, mark, color=colour, label=found.variant)
            ends = [found.smallest, found.largest]
            axis.plot(ends, [found.fitted(end) for end in ends], color=colour, linewidth=0.8, linestyle="--")
        axis.set_xscale("log")
        axis.set_yscale("log", base=2)
        axis.yaxis.set_major_formatter(lambda value, position: f"{value:g}x")
        axis.set_xlabel(size.title)
        axis.set_ylabel(f"speedup over eager fp32, {hardware}, batch 1")
        axis.grid(alpha=0.3)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
