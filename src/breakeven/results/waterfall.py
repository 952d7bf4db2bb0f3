"""Why one variant takes another time than a second one: named parts that add up to the difference."""

from collections.abc import Iterator
from dataclasses import dataclass

from breakeven.artifacts.operator_kinds import CONVERSION, CONVOLUTION, LINEAR
from breakeven.results.time_profile import OperatorPart, TimeProfile, duration, names

MATTERS = 0.01  # of the slower call: smaller steps are told together
GONE = 0.5  # of the calls: so few of them left count as fused or folded
OTHERS, UNEXPLAINED = "everything smaller", "unexplained"


@dataclass(frozen=True)
class Step:
    """One part of a difference."""

    name: str
    us: float  # that the second variant takes more; below 0 where it takes less
    why: str  # what changed, in a few words


def steps(first: TimeProfile, second: TimeProfile) -> list[Step]:
    """Return the parts of `second.us - first.us`, the largest first, and what is unexplained last.

    They add up to the difference.
    """
    found = [_of_kind(kind, first, second) for kind in dict.fromkeys([*first.kinds(), *second.kinds()])]
    calls = [sum(part.calls for part in profile.operators) for profile in (first, second)]
    modules = [sum(module.calls for module in profile.modules) for profile in (first, second)]
    found += [
        Step(
            "calling operators",
            second.dispatch_us - first.dispatch_us,
            f"{calls[0]:.0f} operators called, then {calls[1]:.0f}",
        ),
        Step(
            "calling modules",
            second.python_us - first.python_us,
            f"{modules[0]:.0f} modules called in Python, then {modules[1]:.0f}",
        ),
        Step("calling the model", second.call_us - first.call_us, "what a call costs without operators"),
    ]
    least = MATTERS * max(first.us, second.us)
    large = [step for step in found if abs(step.us) >= least]
    small = [step for step in found if abs(step.us) < least and step.us]
    if small:
        names = ", ".join(step.name for step in small)
        large.append(Step(OTHERS, sum(step.us for step in small), names))
    rest = second.unexplained_us - first.unexplained_us
    return [
        *sorted(large, key=lambda step: -abs(step.us)),
        Step(UNEXPLAINED, rest, "what no part accounts for"),
    ]


def sentences(first: TimeProfile, second: TimeProfile) -> Iterator[str]:
    """Yield what the parts say, and what they are not."""
    total = second.us - first.us
    word = "less" if total < 0 else "more"
    yield (
        f"A call of {second.name} takes {duration(abs(total))} {word} than one of {first.name}: "
        f"{duration(second.us)} against {duration(first.us)}."
    )
    helpful = [step for step in steps(first, second) if step.us * total > 0 and step.name != UNEXPLAINED]
    if helpful:
        top = helpful[0]
        yield f"The largest part is {top.name}: {duration(abs(top.us))} ({top.why})."
    against = [
        step
        for step in steps(first, second)
        if step.us * total < 0 and step.name not in (OTHERS, UNEXPLAINED)
    ]
    for step in against[:2]:
        change = f"{duration(abs(step.us))} {'more' if step.us > 0 else 'less'}"
        yield f"Against it: {step.name} takes {change} ({step.why})."
    yield from _of_int8(first, second)
    for profile in (first, second):
        if profile.is_distorted:
            yield (
                f"The profiler makes a call of {profile.name} {profile.inflation:.1f} times as long. What it "
                "adds is measured and taken off; read its operators as an estimate."
            )


def _of_int8(first: TimeProfile, profile: TimeProfile) -> Iterator[str]:
    """Yield which operators of an int8 variant are not in int8, and what its conversions cost."""
    if not any(part.precision == "int8" for part in profile.operators):
        return
    floating = [part for part in profile.operators if part.precision in ("fp32", "bf16") and part.us]
    taken = sum(part.us for part in floating)
    if taken >= MATTERS * profile.us:
        yield f"Not in int8: {names(floating)}; {taken / profile.us:.0%} of the call."
    converting = profile.kinds().get(CONVERSION, 0.0)
    yield f"Copies and conversions are {converting / profile.us:.0%} of the call of {profile.name}."
    could = sum(first.kinds().get(kind, 0.0) for kind in (CONVOLUTION, LINEAR)) / first.us
    yield (
        f"Of the call of {first.name}, {could:.0%} were convolutions and linear layers. The rest, "
        f"{1 - could:.0%}, was never for int8 to gain."
    )


def _of_kind(kind: str, first: TimeProfile, second: TimeProfile) -> Step:
    before, after = ([part for part in each.operators if part.kind == kind] for each in (first, second))
    return Step(kind, sum(part.us for part in after) - sum(part.us for part in before), _why(before, after))


def _why(before: list[OperatorPart], after: list[OperatorPart]) -> str:
    """Return what changed between the operators of one kind."""
    if not after:
        return f"none are called any more: {names(before)} before"
    if not before:
        return f"only the second calls them: {names(after)}"
    was, now = _main_precision(before), _main_precision(after)
    calls = [max((part.calls for part in parts), default=0.0) for parts in (before, after)]
    if was and now and was != now:
        return f"{was}, then {now}: {names(before)}, then {names(after)}"
    if calls[1] < GONE * calls[0]:
        return f"{calls[0]:.0f} calls, then {calls[1]:.0f}: {names(before)}, then {names(after)}"
    same = {part.operator for part in before} == {part.operator for part in after}
    return f"the same operators: {names(after)}" if same else f"{names(before)}, then {names(after)}"


def _main_precision(parts: list[OperatorPart]) -> str:
    spent: dict[str, float] = {}
    for part in parts:
        if part.precision:
            spent[part.precision] = spent.get(part.precision, 0.0) + part.us
    return max(spent, key=lambda name: spent[name]) if spent else ""
