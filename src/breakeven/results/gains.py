"""What an optimization could gain at most, by the profile, and what it gained, by the measurements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from breakeven.artifacts.artifact import BASELINE
from breakeven.results.result_row import ResultRow
from breakeven.results.time_profile import Bound, ProfileRecord

INT8, PRUNING, FUSION, NO_CALLS = "int8", "pruning", "fusion", "no calls"
WHAT = {
    INT8: "int8 in convolutions and linear layers",
    PRUNING: "Pruning of convolutions and linear layers",
    FUSION: "Fusing normalization, activations and arithmetic",
    NO_CALLS: "Calling operators and modules without cost",
}
NEAR = 0.9  # of the bound: then it is the bound that binds


@dataclass(frozen=True)
class Gain:
    """The bound of an optimization, and the best measurement of it."""

    what: str
    at_most: float
    expectation: str  # in words, after a space; "" without one
    outcome: str  # what was measured, in words


def gains(record: ProfileRecord, rows: Iterable[ResultRow]) -> list[Gain]:
    """Return each bound with what was measured of it, in the order of the bounds."""
    own = [
        row
        for row in rows
        if (row.family, row.hardware, row.batch_size) == (record.family, record.hardware, record.inputs)
        and row.callers == 1
        and row.speedup
        and not row.is_twin
    ]
    return [
        Gain(WHAT[bound.optimization], bound.at_most, _expectation(bound), _outcome(bound, own))
        for bound in record.bounds
    ]


def _expectation(bound: Bound) -> str:
    if bound.expected is None or bound.factor is None:
        return ""
    return f", or {bound.expected:.2f}x if they take {bound.factor:.0%} of their time"


def _outcome(bound: Bound, rows: Sequence[ResultRow]) -> str:
    if bound.optimization == INT8:
        return _told(bound, _int8(rows))
    if bound.optimization == PRUNING:
        return _told(bound, _compressed(rows))
    return "no variant does this alone"


def _int8(rows: Sequence[ResultRow]) -> tuple[float, str] | None:
    """Return the largest gain of int8 over fp32 in the same runtime, and which variants these are."""
    plain = {row.runtime: row for row in rows if (row.compression, row.precision) == ("none", "fp32")}
    found = [
        ((row.speedup or 0.0) / (base.speedup or 1.0), f"{row.variant} over {base.variant}")
        for row in rows
        if row.compression == "none" and row.precision.startswith("int8") and (base := plain.get(row.runtime))
    ]
    return max(found, default=None)


def _compressed(rows: Sequence[ResultRow]) -> tuple[float, str] | None:
    """Return the largest gain of a compressed model in the baseline's runtime."""
    runtime = BASELINE.rpartition("/")[2]
    found = [
        (row.speedup or 0.0, f"{row.variant} over {BASELINE}")
        for row in rows
        if row.runtime == runtime and row.compression not in ("none", "") and row.precision == "fp32"
    ]
    return max(found, default=None)


def _told(bound: Bound, measured: tuple[float, str] | None) -> str:
    if measured is None:
        return "not measured in this study"
    gain, variants = measured
    told = f"measured {gain:.2f}x ({variants})"
    if gain > bound.at_most:
        return f"{told}: beyond eager's bound, since this runtime also spends less on the other parts"
    if gain >= NEAR * bound.at_most:
        return f"{told}: the rest of the call binds, so no more of it helps"
    return f"{told}: these parts did not get as fast as they could"
