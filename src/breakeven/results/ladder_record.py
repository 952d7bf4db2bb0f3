"""What each pass of a compiler is worth for a family: the record of a ladder, and its sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from breakeven.core import format
from breakeven.engine.statistics import Interval


@dataclass(frozen=True)
class Rung:
    """A step of a compiler, on top of another one."""

    name: str
    does: str  # in words
    after: str = ""  # the rung that it builds on; "" for the first


@dataclass(frozen=True)
class Climbed:
    """What became of one rung."""

    rung: Rung
    reason: str = ""  # why it was not timed
    graph: str = ""
    nodes: Mapping[str, int] | None = None  # kind -> how many
    error: float | None = None  # of the outputs, as a share of the largest eager output
    us: float | None = None  # of a call
    gain: Interval | None = None  # speedup over the rung that it builds on
    over_eager: Interval | None = None


@dataclass(frozen=True)
class LadderRecord:
    """The passes of one compiler for the uncompressed fp32 model of one family."""

    family: str
    runtime: str  # the name of its plugin
    title: str = ""  # of the compiler
    climbed: list[Climbed] = field(default_factory=list)
    reason: str = ""  # why there are none

    @property
    def name(self) -> str:
        """Return the name of its section and of its chart."""
        return f"passes-{self.family}-{self.runtime}"


def ladder_from(values: Mapping[str, Any]) -> LadderRecord:
    """Return the record with these values, as `asdict` gives them."""
    return LadderRecord(**{**values, "climbed": [_climbed_from(each) for each in values["climbed"]]})


def _climbed_from(values: Mapping[str, Any]) -> Climbed:
    gains = {name: values[name] and Interval(**values[name]) for name in ("gain", "over_eager")}
    return Climbed(**{**values, **gains, "rung": Rung(**values["rung"])})


def sentences(climbed: Sequence[Climbed]) -> Iterator[str]:
    """Yield which passes gain, which lose, and which could not be timed."""
    first = climbed[0]
    if first.over_eager:
        yield f"{first.rung.name} alone, {first.rung.does}, is {times(first.over_eager)} as fast as eager."
    known = [(each, each.gain) for each in climbed if each.gain]
    for word, kept in (
        ("surely faster", [each for each in known if each[1].low > 1]),
        ("surely slower", [each for each in known if each[1].high < 1]),
    ):
        for each, gain in sorted(kept, key=lambda pair: -abs(pair[1].value - 1)):
            yield f"{each.rung.name} makes it {word}: {times(gain)} as fast as {each.rung.after}."
    if same := [each.rung.name for each, gain in known if gain.low <= 1 <= gain.high]:
        yield f"No gain or loss was seen of {', '.join(same)}."
    for each in climbed:
        if each.reason:
            yield f"{each.rung.name} was not timed: {each.reason}."


def times(gain: Interval | None) -> str:
    """Return a gain with its interval; "" if there is none."""
    return format.times(gain.value, gain.low, gain.high) if gain else ""
