"""What an artifact really executes: its operators, and the share of the time in each precision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PRECISIONS = ("int8", "bf16", "fp32")
TOLD = 0.01  # share of the time


@dataclass(frozen=True)
class OperatorTime:
    """The calls of one operator in one precision."""

    operator: str
    precision: str  # of its inputs, one of `PRECISIONS`; "" for what converts or cannot be told
    ms: float  # in a call of the model
    calls: float = 1.0  # likewise


def merge(kernels: Iterable[OperatorTime]) -> list[OperatorTime]:
    """One for each operator and precision, the longest first."""
    found: dict[tuple[str, str], OperatorTime] = {}
    for new in kernels:
        key = (new.operator, new.precision)
        known = found.get(key, OperatorTime(*key, ms=0.0, calls=0.0))
        found[key] = OperatorTime(*key, known.ms + new.ms, known.calls + new.calls)
    return sorted(found.values(), key=lambda kernel: -kernel.ms)


def shares(kernels: Iterable[OperatorTime]) -> dict[str, float]:
    """The share of the time in each precision, and in none ("other"), the largest first."""
    spent: dict[str, float] = {}
    for kernel in kernels:
        name = kernel.precision or "other"
        spent[name] = spent.get(name, 0.0) + kernel.ms
    total = sum(spent.values()) or 1.0
    return {name: spent[name] / total for name in sorted(spent, key=lambda name: -spent[name])}


def describe(spent: Mapping[str, float]) -> str:
    """In a few words: "int8 93%, fp32 7%"."""
    return ", ".join(f"{name} {share:.0%}" for name, share in spent.items() if share >= 0.005)


def fallbacks(precision: str, kernels: Iterable[OperatorTime]) -> list[OperatorTime]:
    """What computes in another precision than the variant's name says, and takes time worth telling."""
    kernels, promised = list(kernels), precision.partition("-")[0]
    least = TOLD * sum(kernel.ms for kernel in kernels)
    return [kernel for kernel in kernels if kernel.precision not in ("", promised) and kernel.ms >= least]


def precision_mismatch(precision: str, spent: Mapping[str, float]) -> str:
    """What to say of a variant that computes mostly in something else than its name says; else nothing."""
    promised = precision.partition("-")[0]
    known = {name: share for name, share in spent.items() if name in PRECISIONS}
    if not known or known.get(promised, 0.0) >= sum(known.values()) / 2:
        return ""
    return f"called {precision}, but of its time in convolutions and the like it spends {describe(known)}"
