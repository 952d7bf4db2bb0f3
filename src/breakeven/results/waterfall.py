"""Why one variant takes another time than a second one: named parts that add up to the difference."""

from collections.abc import Iterator
from dataclasses import dataclass

from breakeven.artifacts.operator_kinds import CONVERSION, CONVOLUTION, LINEAR
from breakeven.results.time_profile import (
    ENTRY_OVERHEAD,
    MODULE_OVERHEAD,
    OPERATOR_OVERHEAD,
    UNEXPLAINED,
    OperatorPart,
    TimeProfile,
    duration,
    names,
)

MATTERS = 0.01  # of the slower call: smaller steps are told together
GONE = 0.5  # of the calls: so few of them left count as fused or folded
NEAR = 0.9  # of what int8 could gain: then it is the rest of the call that binds
OTHERS = "everything smaller"


@dataclass(frozen=True)
class Step:
    """One part of a difference."""

    name: str
    before: float  # microseconds in the first variant
    after: float  # in the second
    why: str  # what changed, in a few words

    @property
    def us(self) -> float:
        """Return what the second variant takes more; below 0 where it takes less."""
        return self.after - self.before


def steps(first: TimeProfile, second: TimeProfile) -> list[Step]:
    """Return the parts of both calls, the largest change first, and what is unexplained last.

    They add up to both calls, and their changes to the difference.
    """
    calls = [first.called, second.called]
    modules = [sum(module.calls for module in profile.modules) for profile in (first, second)]
    found = [
        *(_of_kind(kind, first, second) for kind in dict.fromkeys([*first.kinds(), *second.kinds()])),
        Step(OPERATOR_OVERHEAD, first.dispatch_us, second.dispatch_us, _counts(calls, "operators called")),
        Step(MODULE_OVERHEAD, first.python_us, second.python_us, _counts(modules, "modules called")),
        Step(ENTRY_OVERHEAD, first.call_us, second.call_us, "a call without operators"),
    ]
    least = MATTERS * max(first.us, second.us)
    small = [step for step in found if max(step.before, step.after) < least]
    large = sorted((step for step in found if step not in small), key=lambda step: -abs(step.us))
    if small := [step for step in small if step.before or step.after]:
        told = ", ".join(step.name for step in small)
        before, after = sum(step.before for step in small), sum(step.after for step in small)
        large.append(Step(OTHERS, before, after, told))
    rest = Step(UNEXPLAINED, first.unexplained_us, second.unexplained_us, "what no part accounts for")
    return [*large, rest]


def sentences(first: TimeProfile, second: TimeProfile) -> Iterator[str]:
    """Yield what the parts say, and what they are not."""
    total = second.us - first.us
    if abs(total) < MATTERS * max(first.us, second.us):
        yield f"The two calls differ by less than {MATTERS:.0%}: no part is the reason."
    else:
        yield from _largest(first, second, total)
    yield from _of_int8(first, second)
    for profile in (first, second):
        if profile.is_distorted:
            yield (
                f"The profiler slows a call of {profile.name} by {profile.inflation - 1:.0%}. That is taken "
                "off, but single lines of it are estimates."
            )


def _largest(first: TimeProfile, second: TimeProfile, total: float) -> Iterator[str]:
    """Yield which part makes most of the difference, and which go against it."""
    found = [step for step in steps(first, second) if step.name not in (OTHERS, UNEXPLAINED)]
    if along := [step for step in found if step.us * total > 0]:
        top = along[0]
        share = f", {top.us / total:.0%} of it" if abs(top.us) <= abs(total) else ""
        yield f"The largest part of the difference is {top.name}: {_change(top)}{share}."
    else:
        yield "No measured part accounts for the difference."
    least = MATTERS * max(first.us, second.us)
    for step in [step for step in found if step.us * total < 0 and abs(step.us) >= least][:2]:
        yield f"Against it goes {step.name}: {_change(step)}."


def _of_int8(first: TimeProfile, profile: TimeProfile) -> Iterator[str]:
    """Yield which operators of an int8 variant are not in int8, what it adds, and what it could gain."""
    if not any(part.precision == "int8" for part in profile.operators):
        return
    floating = [part for part in profile.operators if part.precision in ("fp32", "bf16") and part.us]
    if (taken := sum(part.us for part in floating)) >= MATTERS * profile.us:
        yield f"Not in int8: {names(floating)}; {taken / profile.us:.0%} of the call of {profile.name}."
    converting = profile.kinds().get(CONVERSION, 0.0)
    yield f"Copies and conversions take {converting / profile.us:.0%} of the call of {profile.name}."
    could = sum(first.kinds().get(kind, 0.0) for kind in (CONVOLUTION, LINEAR)) / first.us
    if not _differ_in_precision(first, profile) or could >= 1:
        return
    most, gained = 1 / (1 - could), first.us / profile.us
    binds = (
        "the rest of the call binds"
        if gained >= NEAR * most
        else "the int8 operators, and what they need around them, are what binds"
    )
    yield (
        f"Convolutions and linear layers were {could:.0%} of the call of {first.name}, so int8 in them can "
        f"make it {most:.1f}x as fast at most. It is {gained:.2f}x as fast: {binds}."
    )


def _differ_in_precision(first: TimeProfile, second: TimeProfile) -> bool:
    """Return whether nothing but the precision differs, from floating point to int8."""
    was, now = (each.name.split("/") for each in (first, second))
    return [was[0], was[-1]] == [now[0], now[-1]] and not any(
        part.precision == "int8" for part in first.operators
    )


def _of_kind(kind: str, first: TimeProfile, second: TimeProfile) -> Step:
    before, after = ([part for part in each.operators if part.kind == kind] for each in (first, second))
    return Step(kind, sum(part.us for part in before), sum(part.us for part in after), _why(before, after))


def _why(before: list[OperatorPart], after: list[OperatorPart]) -> str:
    """Return what changed between the operators of one kind."""
    if not after:
        return f"gone: {names(before)}"
    if not before:
        return f"new: {names(after)}"
    was, now = _main_precision(before), _main_precision(after)
    calls = [max((part.calls for part in parts), default=0.0) for parts in (before, after)]
    told = f"{names(before)} → {names(after)}"
    if was and now and was != now:
        return f"{was} → {now}: {told}"
    if calls[1] < GONE * calls[0]:
        return f"{calls[0]:.0f} → {calls[1]:.0f} calls: {told}"
    same = {part.operator for part in before} == {part.operator for part in after}
    return names(after) if same else told


def _main_precision(parts: list[OperatorPart]) -> str:
    spent: dict[str, float] = {}
    for part in parts:
        if part.precision:
            spent[part.precision] = spent.get(part.precision, 0.0) + part.us
    return max(spent, key=lambda name: spent[name]) if spent else ""


def _counts(numbers: list[float], what: str) -> str:
    return f"{numbers[0]:.0f} → {numbers[1]:.0f} {what}"


def _change(step: Step) -> str:
    return f"{duration(step.before)} → {duration(step.after)}"
