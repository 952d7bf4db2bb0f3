"""The most that an optimization can gain, from where the time goes before anything is optimized.

Amdahl's law: what takes a share p of a call, and then no time, makes the call 1 / (1 - p) times as fast.
"""

from breakeven.artifacts.operator_kinds import ACTIVATION, ARITHMETIC, CONVOLUTION, LINEAR, NORMALIZATION
from breakeven.results.gains import FUSION, INT8, NO_CALLS, PRUNING
from breakeven.results.time_profile import (
    ENTRY_OVERHEAD,
    MODULE_OVERHEAD,
    OPERATOR_OVERHEAD,
    Bound,
    TimeProfile,
    bound,
)

# Four numbers of 8 bits fit where one of 32 does, so that four products cost what one did.
INT8_FACTOR = 0.25


def bounds(profile: TimeProfile) -> list[Bound]:
    """Return a bound for each optimization, the largest first."""
    found = [
        bound(profile, INT8, (CONVOLUTION, LINEAR), INT8_FACTOR),
        bound(profile, PRUNING, (CONVOLUTION, LINEAR)),
        bound(profile, FUSION, (NORMALIZATION, ACTIVATION, ARITHMETIC)),
        bound(profile, NO_CALLS, (OPERATOR_OVERHEAD, MODULE_OVERHEAD, ENTRY_OVERHEAD)),
    ]
    return sorted(found, key=lambda each: -each.at_most)
