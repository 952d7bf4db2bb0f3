"""The operators of a profile, without what calling and profiling them takes.

Operators that an operator calls belong to the one that the model itself calls: a convolution is one part,
whatever kernel computes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from breakeven.artifacts.operator_kinds import kind_of
from breakeven.artifacts.operators import OperatorTime
from breakeven.results.time_profile import OperatorPart

MAIN = 0.5  # of an operator's time: what one that it calls must take to be named beside it


@dataclass(frozen=True)
class Empty:
    """An operator that computes nothing, in microseconds."""

    us: float  # unprofiled
    told_us: float  # by the profiler


@dataclass
class _Sum:
    """What is known so far of one operator of the model."""

    calls: float = 0.0
    inside_us: dict[str, float] = field(default_factory=dict)  # of it, and of those that it calls
    precisions_us: dict[str, float] = field(default_factory=dict)


def split(operators: Iterable[OperatorTime], empty: Empty, slowed: float) -> tuple[list[OperatorPart], float]:
    """Return the operators of the model, the slowest first, and the time that calling all of them takes.

    An operator takes what it is told to take beyond an empty one. One that is told to take less than an empty
    one takes as much less to call.

    Args:
        slowed: the factor between the time of an operator unprofiled and profiled.
    """
    sums: dict[str, _Sum] = {}
    calling = 0.0
    for (operator, precision, outer), (us, calls) in _merged(operators).items():
        told = calls * empty.told_us
        inside = slowed * max(us - told, 0.0)
        calling += calls * empty.us * (min(us / told, 1.0) if told > 0 else 1.0)
        own = sums.setdefault(outer or operator, _Sum())
        own.calls += calls if operator == (outer or operator) else 0.0
        own.inside_us[operator] = own.inside_us.get(operator, 0.0) + inside
        if precision:
            own.precisions_us[precision] = own.precisions_us.get(precision, 0.0) + inside
    parts = [_part(name, own) for name, own in sums.items()]
    return sorted(parts, key=lambda part: -part.us), calling


def _merged(operators: Iterable[OperatorTime]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return operator, precision and outer operator -> microseconds and calls."""
    sums: dict[tuple[str, str, str], tuple[float, float]] = {}
    for each in operators:
        key = (each.operator, each.precision, each.outer)
        us, calls = sums.get(key, (0.0, 0.0))
        sums[key] = (us + 1e3 * each.ms, calls + each.calls)
    return sums


def _part(name: str, own: _Sum) -> OperatorPart:
    us = sum(own.inside_us.values())
    main = max(own.inside_us, key=lambda inner: own.inside_us[inner])
    inner = main if main != name and own.inside_us[main] > MAIN * us else ""
    precisions = own.precisions_us
    precision = max(precisions, key=lambda each: precisions[each]) if precisions else ""
    return OperatorPart(name, precision, kind_of(name), us, own.calls, inner)
