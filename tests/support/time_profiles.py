"""Profiles that nobody measured, for tests of what is made of them."""

from breakeven.artifacts.operator_kinds import kind_of
from breakeven.results.time_profile import ModulePart, OperatorPart, TimeProfile


def profile(
    name: str = "none/fp32/eager",
    us: float = 100.0,
    profiled: float = 110.0,
    dispatch: float = 10.0,
    **spent: float,
) -> TimeProfile:
    """A profile whose operators take these microseconds, each called twice."""
    precision = "int8" if "/int8" in name else "fp32"
    operators = [
        OperatorPart(operator, precision, kind_of(operator), taken, 2.0) for operator, taken in spent.items()
    ]
    return TimeProfile(
        name, us, us - 1, us + 1, profiled, operators, dispatch, 5.0, 3.0, [ModulePart("", "Net", 5.0, 1.0)]
    )
