"""Whether optimizations multiply: what a combination gains, over the product of what its parts gain."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from breakeven.engine.statistics import Interval
from breakeven.results.records import ResultRow

MORE, LESS = "more than the product", "less than the product"
SAME = "the product, as far as this can tell"


@dataclass(frozen=True)
class Interaction:
    """A compressed variant that is neither in fp32 nor in eager mode."""

    row: ResultRow
    product: float  # the compression's gain in eager fp32 x the runtime's and precision's on the dense model
    ratio: Interval  # measured over that

    @property
    def verdict(self) -> str:
        """In words."""
        if self.ratio.low > 1:
            return MORE
        return LESS if self.ratio.high < 1 else SAME


def interactions(rows: Iterable[ResultRow]) -> list[Interaction]:
    """All combinations among the rows of one benchmark of which the parts were measured, too."""
    known = {row.variant: row for row in rows if row.speedup and row.speedup_ci_low and row.speedup_ci_high}
    found = []
    for variant, row in known.items():
        rest = variant.partition("/")[2]
        parts = (f"{row.compression}/fp32/eager", f"none/{rest}")
        if row.compression != "none" and rest != "fp32/eager" and all(part in known for part in parts):
            found.append(_interaction(row, [known[part] for part in parts]))
    return found


def _interaction(row: ResultRow, parts: Sequence[ResultRow]) -> Interaction:
    """The interval takes the three for independent: they share a baseline, so it is rather too wide."""
    product = math.prod(part.speedup or 1.0 for part in parts)
    center = math.log((row.speedup or 1.0) / product)
    half = math.hypot(*(_half(each) for each in (row, *parts)))
    ratio = Interval(math.exp(center), math.exp(center - half), math.exp(center + half))
    return Interaction(row, product, ratio)


def _half(row: ResultRow) -> float:
    return math.log((row.speedup_ci_high or 1.0) / (row.speedup_ci_low or 1.0)) / 2


def best(rows: Iterable[ResultRow]) -> Mapping[tuple[str, str, int], ResultRow]:
    """The fastest variant by family, hardware and batch size."""
    found: dict[tuple[str, str, int], ResultRow] = {}
    for row in sorted(rows, key=lambda row: row.speedup or 0.0):  # the last of each place stays
        if row.speedup and row.callers == 1 and row.verdict != "control":
            found[row.family, row.hardware, row.batch_size] = row
    return found


def changing(rows: Iterable[ResultRow], winners: Mapping[tuple[str, str, int], ResultRow]) -> list[str]:
    """The models of which one variant is surely the faster of two in one place, and surely not in another.

    Args:
        winners: those of `best`.
    """
    known = {(row.family, row.hardware, row.batch_size, row.variant): row for row in rows if row.callers == 1}
    found = set()
    for (family, *_), winner in winners.items():
        for (other, hardware, batch), rival in winners.items():
            if other == family:
                loses = known.get((family, hardware, batch, winner.variant))
                beaten = known.get((family, winner.hardware, winner.batch_size, rival.variant))
                if loses and beaten and _is_below(loses, rival) and _is_below(beaten, winner):
                    found.add(family)
    return sorted(found)


def _is_below(row: ResultRow, other: ResultRow) -> bool:
    """Whether its whole interval is; the baseline's gain is 1, without bounds."""
    return _or_gain(row, row.speedup_ci_high) < _or_gain(other, other.speedup_ci_low)


def _or_gain(row: ResultRow, bound: float | None) -> float:
    return bound or row.speedup or math.nan  # of which nothing is less
