"""One picture of the self-test: what the parts of the protocol are there for."""

from collections.abc import Sequence
from pathlib import Path

from breakeven.core.svg import drawn
from breakeven.engine.selftest.ablation import METHODS
from breakeven.engine.selftest.check import Check

COLOURS = ("#D55E00", "#E69F00", "#56B4E9", "#0072B2")  # Okabe and Ito's
DIFFERENT, ERROR, LARGEST = (
    "ablation: called different at 5%, A/A",
    "ablation: error of the ratio",
    "ablation: largest error of the ratio",
)


def draw(path: Path, rows: Sequence[Check]) -> None:
    """Write an SVG: on the left how often copies are called different, on the right by how much."""
    conditions = sorted({_place(row)[0] for row in rows if row.check == ERROR})
    with drawn(path, 10, 0.9 + 1.1 * len(conditions)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axis, name in ((left, DIFFERENT), (right, ERROR), (right, LARGEST)):
            for row in (row for row in rows if row.check == name):
                condition, method = _place(row)
                height = conditions.index(condition) + 0.18 * (1.5 - method)
                label = METHODS[method] if axis is left and condition == conditions[0] else None
                if row.low is not None and row.high is not None:
                    axis.plot([row.low, row.high], [height] * 2, color=COLOURS[method], linewidth=2)
                mark = "x" if name == LARGEST else "o"
                axis.plot([row.value], [height], mark, color=COLOURS[method], markersize=5, label=label)
            axis.grid(axis="x", alpha=0.3)
        left.axvline(0.05, color="black", linewidth=0.8)
        left.set_xlabel("share of copies called different at 5%")
        left.set_yticks(range(len(conditions)), conditions)
        right.set_xlabel("error of the speedup (cross: largest)")
        right.set_xscale("log")
        right.xaxis.set_major_formatter(lambda value, position: f"{100 * value:g}%")
        figure.legend(loc="outside upper center", ncols=4, frameon=False)


def _place(row: Check) -> tuple[str, int]:
    """A row's condition, and the number of its method."""
    condition, _, rest = row.condition.partition(": ")
    (method,) = (index for index, name in enumerate(METHODS) if rest.startswith(name))
    return condition.replace(" in onnxruntime", ""), method
