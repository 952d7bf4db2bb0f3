"""The operators of a profile, without what calling and profiling them takes.

Operators that an operator calls belong to the one that the model itself calls: a convolution is one part,
whatever kernel computes it.
"""

from collections.abc import Iterable, Sequence
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
        slowed: the factor between the time of all operators unprofiled and profiled. A profiler disturbs at
            each event, so what it slows is taken off call by call, and not in proportion to the time.
    """
    sums: dict[str, _Sum] = {}
    calling = 0.0
    merged = _merged(operators)
    spent = [(max(us - calls * empty.told_us, 0.0), calls) for us, calls in merged.values()]
    disturbed = _for_each_call(spent, (1 - slowed) * sum(us for us, _ in spent))
    sped = max(slowed, 1.0)
    for ((operator, precision, outer), (us, calls)), (beyond, _) in zip(merged.items(), spent, strict=True):
        told = calls * empty.told_us
        inside = sped * max(beyond - calls * disturbed, 0.0)
        calling += calls * empty.us * (min(us / told, 1.0) if told > 0 else 1.0)
        own = sums.setdefault(outer or operator, _Sum())
        own.calls += calls if operator == (outer or operator) else 0.0
        own.inside_us[operator] = own.inside_us.get(operator, 0.0) + inside
        if precision:
            own.precisions_us[precision] = own.precisions_us.get(precision, 0.0) + inside
    parts = [_part(name, own) for name, own in sums.items()]
    return sorted(parts, key=lambda part: -part.us), calling


def _for_each_call(spent: Sequence[tuple[float, float]], total: float) -> float:
    """Return what to take off each call, so that `total` is taken off and nothing goes below 0.

    Args:
        spent: the microseconds and the number of the calls of each operator.
    """
    left, calls, each = total, sum(calls for _, calls in spent), 0.0
    for us, own in sorted(spent, key=lambda pair: pair[0] / pair[1]):
        each = left / calls
        if each * own <= us:
            break
        left, calls = left - us, calls - own
    return max(each, 0.0)


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
