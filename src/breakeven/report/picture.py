"""One picture of a study: speedups with their intervals, the noise floor shaded."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from breakeven.core.svg import drawn
from breakeven.results.records import ResultRow, cell, title

# Okabe and Ito's colours, which the colour-blind can tell apart
COLOURS = {
    "faster": "#0072B2",
    "slower": "#D55E00",
    "same": "#009E73",
    "undecided": "#999999",
    "control": "#000000",
}


def draw(path: Path, rows: Sequence[ResultRow]) -> None:
    """Write an SVG with a panel for each cell."""
    timed = [row for row in rows if row.speedup and row.speedup_ci_low and row.speedup_ci_high]
    panels = [(key, list(group)) for key, group in groupby(timed, key=cell)]
    ratios = [0.7 + 0.26 * len(group) for _, group in panels]
    with drawn(path, 8.5, sum(ratios) or 0.7) as figure:
        axes: Any = ()
        if panels:
            axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=ratios)[:, 0]
        for axis, ((family, *_), group) in zip(axes, panels, strict=True):
            _panel(axis, group)
            axis.set_title(f"{family} on {title(group[0])}", loc="left", fontsize=10)
        caption = "speedup over eager fp32, same rounds (logarithmic); grey: noise floor of the twin"
        figure.supxlabel(caption if panels else "nothing could be measured: the table says why", fontsize=9)


def _panel(axis, rows: Sequence[ResultRow]) -> None:  # type: ignore[no-untyped-def]  # matplotlib's Axes
    rows = sorted(rows, key=lambda row: row.speedup or 0)
    floor = max((row.noise_floor or 1 for row in rows), default=1)
    axis.axvspan(1 / floor, floor, color="#dddddd", zorder=0)
    axis.axvline(1, color="black", linewidth=0.8)
    for height, row in enumerate(rows):
        assert row.speedup and row.speedup_ci_low and row.speedup_ci_high
        colour = COLOURS.get(row.verdict, "#999999")
        axis.plot([row.speedup_ci_low, row.speedup_ci_high], [height, height], color=colour, linewidth=2)
        axis.plot([row.speedup], [height], "o", color=colour, markersize=4)
    axis.set_yticks(range(len(rows)), [f"{row.variant}  ({row.verdict})" for row in rows])
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter(lambda value, position: f"{value:g}x")
    axis.grid(axis="x", alpha=0.3)
