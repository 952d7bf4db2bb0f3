"""From which size of a tensor on the fusion of pointwise operations pays, and what memory traffic it saves.

`x * 2 + 1` as two kernels reads and writes the tensor twice, as one kernel once. So fusion is said to save
half of the traffic. Both are timed for tensors of several sizes in the same rounds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from breakeven.core.errors import UserError
from breakeven.engine.api import measure
from breakeven.engine.settings import Budget
from breakeven.engine.statistics import Interval

SIZES = (256, 4096, 65_536, 1_048_576)  # numbers in a tensor: 1 KiB to 4 MiB
BYTES = 4  # of a number
APART, FUSED = "two kernels", "one kernel"
TRAFFIC = {APART: 4, FUSED: 2}  # tensors that are read or written


@dataclass(frozen=True)
class Pointwise:
    """What fusion gains for one size."""

    numbers: int
    us: dict[str, float]  # of a call
    gain: Interval  # of one kernel over two

    def gigabytes_per_s(self, kernels: str) -> float:
        """Return how fast these kernels would move their tensors, if all of them came from memory."""
        return TRAFFIC[kernels] * BYTES * self.numbers / self.us[kernels] / 1e3


@dataclass(frozen=True)
class PointwiseCall:
    """A factory for the engine."""

    numbers: int
    is_fused: bool

    def __call__(self) -> Callable[[], Any]:
        """Return a function that computes `x * 2 + 1`."""
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        x = torch.linspace(-1, 1, self.numbers)
        call = torch.compile(_twice_and_one) if self.is_fused else _twice_and_one
        return lambda: call(x)


def _twice_and_one(x: Tensor) -> Tensor:
    return x * 2 + 1


def pointwise(seconds: float, sizes: Sequence[int] = SIZES) -> list[Pointwise]:
    """Return what fusion gains for each size.

    Args:
        seconds: to measure each size for.

    Raises:
        UserError: one of the two cannot be timed, for example because there is no compiler.
    """
    return [_at(numbers, seconds) for numbers in sizes]


def _at(numbers: int, seconds: float) -> Pointwise:
    calls = {APART: PointwiseCall(numbers, False), FUSED: PointwiseCall(numbers, True)}
    found = measure(calls, budget=Budget(seconds=seconds, seconds_per_variant=0.0, min_replicates=5))
    us = {}
    for name in calls:
        if (time := found[name].time) is None:
            raise UserError(f"{name} cannot be timed: {found[name].reason}.")
        us[name] = 1e6 * time.value
    gain = found.compare(APART, FUSED).speedup
    assert gain
    return Pointwise(numbers, us, gain)


def pays_from(found: Sequence[Pointwise]) -> int | None:
    """Return the smallest size from which on fusion surely gains at each size; None if at none."""
    sure = None
    for each in reversed(found):
        if each.gain.low <= 1:
            break
        sure = each.numbers
    return sure
