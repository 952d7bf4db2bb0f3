"""The operators that the candidates of an answer spend their time in."""

from dataclasses import dataclass
from typing import Any

from breakeven.artifacts.artifact import BASELINE
from breakeven.results.answer import CellAnswer


@dataclass(frozen=True)
class OperatorProfile:
    """The slowest operators of a variant, as its runtime's own profiler tells them."""

    variant: str
    precision: str  # the share of the time in each precision
    kernels: list[dict[str, Any]]  # operator, precision, ms, calls; the slowest first


def profiles(found: CellAnswer) -> list[OperatorProfile]:
    """Return the profiles of the candidates and of the baseline, where the record holds them."""
    names = [candidate.row.variant for candidate in found.answer.candidates]
    records = {record.row.variant: record for record in found.benchmark.records}
    return [
        OperatorProfile(name, records[name].row.executed_precision or "", kernels)
        for name in dict.fromkeys([*names, BASELINE])
        if name in records and (kernels := records[name].execution.get("kernels"))
    ]
