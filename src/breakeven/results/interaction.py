"""Interactions of optimizations: the speedup of a combination over the product of its parts' speedups."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from breakeven.engine.statistics import Interval
from breakeven.results.result_row import ResultRow

MORE_THAN_PRODUCT, LESS_THAN_PRODUCT = "more than the product", "less than the product"
SAME_AS_PRODUCT = "the product, as far as this can tell"


@dataclass(frozen=True)
class Interaction:
    """A compressed variant in another runtime or precision than eager fp32, beside its two parts."""

    row: ResultRow
    product: float  # compression's speedup in eager fp32 x runtime's and precision's on the dense model
    ratio: Interval  # measured speedup / product

    @property
    def verdict(self) -> str:
        """Return in words whether the combination gains more or less than the product."""
        if self.ratio.low > 1:
            return MORE_THAN_PRODUCT
        return LESS_THAN_PRODUCT if self.ratio.high < 1 else SAME_AS_PRODUCT


def interactions(rows: Iterable[ResultRow]) -> list[Interaction]:
    """Return all combinations among the rows of one benchmark whose two parts were measured as well."""
    rows_by_variant = {
        row.variant: row for row in rows if row.speedup and row.speedup_ci_low and row.speedup_ci_high
    }
    combinations = []
    for variant, row in rows_by_variant.items():
        rest = variant.partition("/")[2]
        parts = (f"{row.compression}/fp32/eager", f"none/{rest}")
        if (
            row.compression != "none"
            and rest != "fp32/eager"
            and all(part in rows_by_variant for part in parts)
        ):
            combinations.append(_interaction(row, [rows_by_variant[part] for part in parts]))
    return combinations


def _interaction(row: ResultRow, parts: Sequence[ResultRow]) -> Interaction:
    """Return a combination beside its parts.

    The interval treats the three speedups as independent. They share a baseline, so it tends to be too wide.
    """
    product = math.prod(part.speedup or 1.0 for part in parts)
    center = math.log((row.speedup or 1.0) / product)
    half = math.hypot(*(_half(each) for each in (row, *parts)))
    ratio = Interval(math.exp(center), math.exp(center - half), math.exp(center + half))
    return Interaction(row, product, ratio)


def _half(row: ResultRow) -> float:
    return math.log((row.speedup_ci_high or 1.0) / (row.speedup_ci_low or 1.0)) / 2


def best(rows: Iterable[ResultRow]) -> Mapping[tuple[str, str, int], ResultRow]:
    """Return the fastest variant by family, hardware and batch size, for a single caller."""
    fastest: dict[tuple[str, str, int], ResultRow] = {}
    for row in sorted(rows, key=lambda row: row.speedup or 0.0):  # the fastest row comes last
        if row.speedup and row.callers == 1 and not row.is_twin:
            fastest[row.family, row.hardware, row.batch_size] = row
    return fastest


def changing(rows: Iterable[ResultRow], winners: Mapping[tuple[str, str, int], ResultRow]) -> list[str]:
    """Return the families whose fastest variant surely differs between two places.

    In each place, the interval of the other place's winner lies below the interval of its own winner.

    Args:
        winners: the fastest variant of each place, from `best`.
    """
    rows_by_key = {
        (row.family, row.hardware, row.batch_size, row.variant): row for row in rows if row.callers == 1
    }
    families = set()
    for (family, *_), winner in winners.items():
        for (rival_family, hardware, batch), rival in winners.items():
            if rival_family == family:
                loses = rows_by_key.get((family, hardware, batch, winner.variant))
                beaten = rows_by_key.get((family, winner.hardware, winner.batch_size, rival.variant))
                if loses and beaten and _is_below(loses, rival) and _is_below(beaten, winner):
                    families.add(family)
    return sorted(families)


def _is_below(row: ResultRow, rival: ResultRow) -> bool:
    """Return whether the row's whole interval lies below the other's; the baseline's is just 1."""
    return _or_gain(row, row.speedup_ci_high) < _or_gain(rival, rival.speedup_ci_low)


def _or_gain(row: ResultRow, bound: float | None) -> float:
    return bound or row.speedup or math.nan  # comparisons with NaN are false
