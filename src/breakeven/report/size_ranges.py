"""The table of a sweep that says for which sizes of models each variant pays."""

from collections.abc import Sequence
from itertools import groupby

from breakeven.core.format import brief
from breakeven.report.markdown import table
from breakeven.results.result_row import SPECIAL, ResultRow

COLUMNS: dict[str, tuple[str, ...]] = {
    "faster at, million MACs": ("faster",),
    "slower at": ("slower",),
    "as fast, or not decided, at": ("same", "undecided"),
}
MIN_MODELS = 2


def where_it_pays(rows: Sequence[ResultRow]) -> str:
    """Return for each uncompressed variant on which sizes it is faster, slower, or not decided.

    Return "" if there are fewer than two sizes.

    Args:
        rows: of single inputs.
    """
    plain = [row for row in rows if row.compression == "none" and row.verdict not in SPECIAL]
    sizes = sorted({row.macs for row in plain if row.macs})
    if len(sizes) < MIN_MODELS:
        return ""
    lines = []
    for variant, hardware in sorted({(row.variant, row.hardware) for row in plain}):
        own = [row for row in plain if (row.variant, row.hardware) == (variant, hardware)]
        cells = [
            ranges([row.macs for row in own if row.verdict in verdicts], sizes)
            for verdicts in COLUMNS.values()
        ]
        if any(cells):
            lines.append([variant, hardware, *cells])
    return table(["variant", "hardware", *COLUMNS], lines, left=5) if lines else ""


def ranges(chosen: Sequence[int], sizes: Sequence[int]) -> str:
    """Return sizes in words: neighbours are one range.

    Args:
        chosen: multiply-accumulates of some models.
        sizes: those of all models, the smallest first.
    """
    places = sorted({sizes.index(size) for size in chosen})
    parts = []
    for _, group in groupby(enumerate(places), key=lambda each: each[1] - each[0]):
        run = [sizes[place] for _, place in group]
        first, last = brief(run[0] / 1e6), brief(run[-1] / 1e6)
        parts.append(first if len(run) == 1 else f"{first} to {last}")
    return ", ".join(parts)
