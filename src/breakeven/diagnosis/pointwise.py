"""From which size of a tensor the fusion of pointwise operations pays, and what memory traffic it saves.

`x * 2 + 1` as two kernels reads and writes the tensor twice, as one kernel once. So fusion is said to save
half of the traffic. But two kernels also allocate twice, and the first use of fresh memory takes time: the
system has to find each page. So both are timed twice: with new tensors in each call, as models call them, and
with the same tensors in all calls. The second pair differs in nothing but kernels and traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.core import machine_lock
from breakeven.core.errors import UserError
from breakeven.diagnosis.pointwise_call import APART, FUSED, NEW, SAME, PointwiseCall, is_right
from breakeven.engine.api import measure
from breakeven.engine.result import Result
from breakeven.engine.settings import Budget
from breakeven.engine.statistics import Interval

SIZES = (4096, 65_536, 1_048_576, 4_194_304)  # numbers in a tensor: 16 KiB to 16 MiB
BYTES = 4  # of a number
TRAFFIC = {APART: 4, FUSED: 2}  # tensors that are read or written
WAYS = tuple((kernels, tensors) for tensors in (NEW, SAME) for kernels in (APART, FUSED))
REPLICATES = 8  # at least: the intervals hold for all sizes at once, which few replicates would make wide


@dataclass(frozen=True)
class Pointwise:
    """What fusion gains for one size."""

    numbers: int
    us: dict[tuple[str, str], float]  # (kernels, tensors) -> of a call
    gains: dict[str, Interval]  # tensors -> of one kernel over two

    def gigabytes_per_s(self, kernels: str) -> float:
        """Return how fast these kernels move their tensors, if they write the same ones in each call."""
        return TRAFFIC[kernels] * BYTES * self.numbers / self.us[kernels, SAME] / 1e3

    def allocation_us(self, kernels: str) -> float:
        """Return what new tensors add to a call."""
        return self.us[kernels, NEW] - self.us[kernels, SAME]


def pointwise(seconds: float, sizes: Sequence[int] = SIZES) -> list[Pointwise]:
    """Return what fusion gains for each size; all of them are timed in the same rounds.

    One run for all sizes takes about half the time of a run for each: what takes longest is the import of the
    compiler in new processes. They do not compile anew, because Inductor keeps what it compiled.

    Args:
        seconds: to measure for.

    Raises:
        UserError: one of them cannot be timed, for example because there is no compiler.
    """
    calls = {_name(numbers, *way): PointwiseCall(numbers, *way) for numbers in sizes for way in WAYS}
    budget = Budget(seconds=seconds, seconds_per_variant=0.0, min_replicates=REPLICATES)
    with machine_lock.exclusive():
        found = measure(calls, check=is_right, budget=budget)
    for name, timed in found.items():
        if timed.time is None:
            raise UserError(f"{name} cannot be timed: {timed.reason}.")
    return [_of(numbers, found) for numbers in sizes]


def _of(numbers: int, found: Result) -> Pointwise:
    us = {way: 1e6 * time.value for way in WAYS if (time := found[_name(numbers, *way)].time)}
    gains = {}
    for tensors in (NEW, SAME):
        two, one = (_name(numbers, kernels, tensors) for kernels in (APART, FUSED))
        speedup = found.compare(two, one).speedup
        assert speedup
        gains[tensors] = speedup
    return Pointwise(numbers, us, gains)


def _name(numbers: int, kernels: str, tensors: str) -> str:
    return f"{kernels}, {tensors} tensors of {numbers}"


def pays_from(found: Sequence[Pointwise]) -> int | None:
    """Return the smallest size from which on fusion surely gains at each size, as models call it, or None."""
    sure = None
    for each in reversed(found):
        if each.gains[NEW].low <= 1:
            break
        sure = each.numbers
    return sure
