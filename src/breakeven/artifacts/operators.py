"""The operators that an artifact executes, and the share of the time in each precision."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

PRECISIONS = ("int8", "bf16", "fp32")
MIN_REPORTED_SHARE = 0.01  # least share of the time for an operator to be reported


@dataclass(frozen=True)
class OperatorTime:
    """The calls of one operator in one precision."""

    operator: str
    precision: str  # of its inputs, one of `PRECISIONS`; "" for conversions, or if unknown
    ms: float  # in one call of the model
    calls: float = 1.0  # in one call of the model
    outer: str = ""  # the operator of the model that calls it, where one operator calls others


@dataclass(frozen=True)
class Profiled:
    """What a runtime's profiler tells of some calls of a model."""

    operators: list[OperatorTime]
    call_ms: float  # of a call while it is profiled
    tensors: float = 0.0  # that the profiler writes down with an operator, on average


def durations_s(run: Callable[[], object], calls: int) -> list[float]:
    """Call a model while it is profiled, and return the duration of each call in seconds."""
    durations = []
    for _ in range(calls):
        started = time.perf_counter()
        run()
        durations.append(time.perf_counter() - started)
    return durations


def typical(times: ArrayLike, calls: ArrayLike) -> NDArray[np.float64]:
    """Return the mean over the calls that took a typical time: the middle half of them.

    A call may wait for a core, so the mean over all of them says too much. Profilers count whole
    microseconds, so a median would be a whole number, too.

    Args:
        times: (C, ...) a figure of each call.
        calls: (C,) the duration of each call.
    """
    durations = np.asarray(calls, dtype=np.float64)
    low, high = np.quantile(durations, [0.25, 0.75])
    chosen = (low <= durations) & (durations <= high)
    return np.asarray(np.asarray(times, dtype=np.float64)[chosen].mean(axis=0))


def merge(kernels: Iterable[OperatorTime]) -> list[OperatorTime]:
    """Return the sums for each operator and precision, the slowest first."""
    sums: dict[tuple[str, str], OperatorTime] = {}
    for new in kernels:
        key = (new.operator, new.precision)
        total = sums.get(key, OperatorTime(*key, ms=0.0, calls=0.0))
        sums[key] = OperatorTime(*key, total.ms + new.ms, total.calls + new.calls)
    return sorted(sums.values(), key=lambda kernel: -kernel.ms)


def as_values(kernel: OperatorTime) -> dict[str, Any]:
    """Return the fields of a merged operator, for a record."""
    return {name: value for name, value in asdict(kernel).items() if name != "outer"}


def shares(kernels: Iterable[OperatorTime]) -> dict[str, float]:
    """Return precision -> its share of the time, the largest first; "other" is time without a precision."""
    spent: dict[str, float] = {}
    for kernel in kernels:
        name = kernel.precision or "other"
        spent[name] = spent.get(name, 0.0) + kernel.ms
    total = sum(spent.values()) or 1.0
    return {name: spent[name] / total for name in sorted(spent, key=lambda name: -spent[name])}


def describe(spent: Mapping[str, float]) -> str:
    """Return shares of the time in words: "int8 93%, fp32 7%". Leave out shares below 0.5%."""
    return ", ".join(f"{name} {share:.0%}" for name, share in spent.items() if share >= 0.005)


def fallbacks(precision: str, kernels: Iterable[OperatorTime]) -> list[OperatorTime]:
    """Return the operators that compute in another precision than the variant promises.

    Operators that take less than a share of `MIN_REPORTED_SHARE` of the time are left out.

    Args:
        precision: the precision in the variant's name, for example "int8-static".
        kernels: the variant's operators.
    """
    kernels, promised = list(kernels), precision.partition("-")[0]
    least = MIN_REPORTED_SHARE * sum(kernel.ms for kernel in kernels)
    return [kernel for kernel in kernels if kernel.precision not in ("", promised) and kernel.ms >= least]


def precision_mismatch(precision: str, spent: Mapping[str, float]) -> str:
    """Return a sentence about a variant that spends most of its time in another precision than its name says.

    Return "" if its precision is right, or if its precisions are unknown.

    Args:
        precision: the precision in the variant's name, for example "int8-static".
        spent: precision -> share of the time, as `shares` returns it.
    """
    promised = precision.partition("-")[0]
    known_shares = {name: share for name, share in spent.items() if name in PRECISIONS}
    if not known_shares or known_shares.get(promised, 0.0) >= sum(known_shares.values()) / 2:
        return ""
    spent_in = " and ".join(f"{share:.0%} in {name}" for name, share in known_shares.items())
    return (
        f"not all in {promised}: of a call's time, its convolutions and linear layers take {spent_in} "
        "(other operators take the rest)"
    )
