"""What an optimization could gain at most, by the profile, and what it gained, by the measurements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from breakeven.artifacts.artifact import BASELINE
from breakeven.results.result_row import ResultRow
from breakeven.results.time_profile import Bound, ProfileRecord

INT8, PRUNING, FUSION, NO_CALLS = "int8", "pruning", "fusion", "no calls"
WHAT = {
    INT8: "int8 in convolutions and linear layers",
    PRUNING: "pruning of convolutions and linear layers",
    FUSION: "fusing normalization, activations and arithmetic",
    NO_CALLS: "operators, modules and the call itself without overhead",
}
NEAR = 0.9  # of the bound: then it is the rest of the call that binds


@dataclass(frozen=True)
class Gain:
    """The bound of an optimization, and the best measurement of it."""

    what: str
    at_most: float
    expectation: str  # in words, after a space; "" without one
    outcome: str  # what was measured, in words


def gains(record: ProfileRecord, rows: Iterable[ResultRow]) -> list[Gain]:
    """Return each bound with what was measured of it, in the order of the bounds."""
    own = measured_there(record, rows)
    return [
        Gain(WHAT[bound.optimization], bound.at_most, _expectation(bound), _outcome(bound, own))
        for bound in record.bounds
    ]


def measured_there(record: ProfileRecord, rows: Iterable[ResultRow]) -> list[ResultRow]:
    """Return the rows with a speedup of the profile's family, hardware and number of inputs."""
    place = (record.family, record.hardware, record.inputs)
    return [
        row
        for row in rows
        if (row.family, row.hardware, row.batch_size) == place
        and row.callers == 1
        and row.speedup
        and not row.is_twin
    ]


def fastest(rows: Iterable[ResultRow]) -> ResultRow | None:
    """Return the row with the largest speedup; None without any above 1."""
    best = max(rows, key=lambda row: row.speedup or 0.0, default=None)
    return best if best and (best.speedup or 0.0) > 1 else None


def _expectation(bound: Bound) -> str:
    if bound.expected is None or bound.factor is None:
        return ""
    return f", {bound.expected:.2f}x if it runs them {1 / bound.factor:.0f} times as fast"


def _outcome(bound: Bound, rows: Sequence[ResultRow]) -> str:
    if bound.optimization == INT8:
        return _of_int8(rows)
    if bound.optimization == PRUNING:
        return _of_pruning(bound, rows)
    return "measured only together with other changes"


def _of_int8(rows: Sequence[ResultRow]) -> str:
    """Return the largest gain of int8 over fp32 in the same runtime: eager has no int8."""
    plain = {row.runtime: row for row in rows if (row.compression, row.precision) == ("none", "fp32")}
    found = [
        ((row.speedup or 0.0) / (base.speedup or 1.0), base.variant, row.variant)
        for row in rows
        if row.compression == "none" and row.precision.startswith("int8") and (base := plain.get(row.runtime))
    ]
    if not found:
        return "not measured in this study"
    gain, before, variant = max(found)
    return (
        f"eager has no int8; in a runtime that has, {gain:.2f}x was measured (`breakeven why {before} "
        f"{variant} --family {rows[0].family} --hardware {rows[0].hardware}` says what binds there)"
    )


def _of_pruning(bound: Bound, rows: Sequence[ResultRow]) -> str:
    """Return the largest gain of a compressed model in the baseline's runtime, and what binds it."""
    runtime = BASELINE.rpartition("/")[2]
    found = [
        (row.speedup or 0.0, row.variant)
        for row in rows
        if row.runtime == runtime and row.compression not in ("none", "") and row.precision == "fp32"
    ]
    if not found:
        return "not measured in this study"
    gain, variant = max(found)
    binds = "the rest of the call" if gain >= NEAR * bound.at_most else "the layers that are left"
    return f"measured {gain:.2f}x ({BASELINE} → {variant}): {binds} bind{'s' if 'rest' in binds else ''}"
