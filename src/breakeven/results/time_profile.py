"""Where the time of a call goes, in parts that add up to its measured duration."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json

FEW_NAMES = 3  # of operators
OPERATOR_OVERHEAD, MODULE_OVERHEAD = "operator overhead", "Python module overhead"
ENTRY_OVERHEAD, UNEXPLAINED = "the call itself", "unexplained"
MARKED = 1.25  # a profiler that makes a call so much longer is said to distort it


@dataclass(frozen=True)
class OperatorPart:
    """The calls of one operator of the model, without what calling and profiling it takes."""

    operator: str
    precision: str  # in which most of its time is spent; "" for conversions, or if unknown
    kind: str  # see artifacts/operator_kinds.py
    us: float  # in one call of the model
    calls: float  # in one call of the model
    inner: str = ""  # the operator that it calls, and that takes most of its time


@dataclass(frozen=True)
class ModulePart:
    """The time in one module of the model, without the modules inside it."""

    name: str  # as in `named_modules`; "" for the model itself
    kind: str  # its class
    us: float
    calls: float


@dataclass(frozen=True)
class TimeProfile:
    """One call of a model, part by part, in microseconds."""

    name: str  # of a variant
    us: float  # p50 of the calls while nothing profiles them
    low: float  # the bounds of its interval
    high: float
    profiled_us: float  # of a call while it is profiled
    operators: list[OperatorPart]  # the slowest first
    dispatch_us: float  # of calling as many operators that compute nothing
    python_us: float  # of calling the model's modules, where Python does
    call_us: float  # of a call of a model without operators
    modules: list[ModulePart] = field(default_factory=list)  # the slowest first; empty where no Python runs
    called: float = 0.0  # operators, those that operators call included

    @property
    def inflation(self) -> float:
        """Return how much longer a profiled call takes, as a ratio."""
        return self.profiled_us / self.us

    @property
    def is_distorted(self) -> bool:
        """Return whether the profiler makes a call so much longer that its operators are an estimate."""
        return self.inflation > MARKED

    @property
    def operators_us(self) -> float:
        """Return the time inside operators."""
        return sum(part.us for part in self.operators)

    @property
    def unexplained_us(self) -> float:
        """Return what none of the measured parts accounts for; below 0 if they are too much."""
        return self.us - self.operators_us - self.dispatch_us - self.python_us - self.call_us

    def kinds(self) -> dict[str, float]:
        """Return kind of operator -> microseconds, the largest first."""
        spent: dict[str, float] = {}
        for part in self.operators:
            spent[part.kind] = spent.get(part.kind, 0.0) + part.us
        return dict(sorted(spent.items(), key=lambda pair: -pair[1]))

    def parts(self) -> dict[str, float]:
        """Return the name of each part -> microseconds; they add up to `us`."""
        rest = {
            OPERATOR_OVERHEAD: self.dispatch_us,
            MODULE_OVERHEAD: self.python_us,
            ENTRY_OVERHEAD: self.call_us,
        }
        return {
            **self.kinds(),
            **{name: us for name, us in rest.items() if us},
            UNEXPLAINED: self.unexplained_us,
        }


@dataclass(frozen=True)
class Bound:
    """The most that an optimization can gain, if it changes nothing but the parts that it is about."""

    optimization: str
    parts: list[str]  # of the profile
    share: float  # of the call that these parts take
    at_most: float  # speedup if they took no time: 1 / (1 - share), Amdahl's law
    expected: float | None = None  # speedup if they took `factor` of their time
    factor: float | None = None


@dataclass(frozen=True)
class ProfileRecord:
    """What the stage `profile` finds of one family on one hardware."""

    family: str
    hardware: str
    inputs: int  # in a call
    profile: TimeProfile | None
    bounds: list[Bound]
    reason: str = ""  # why there is no profile
    failed: bool = False  # whether something broke, so that another try may succeed

    def write(self, file: Path) -> None:
        """Write the record."""
        write_json(file, asdict(self))


def read(file: Path) -> ProfileRecord:
    """Return the record in a file.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    values = read_json(file)
    with of_this_version(file):
        profile = values.pop("profile")
        bounds = [Bound(**each) for each in values.pop("bounds")]
        return ProfileRecord(**values, profile=profile and profile_from(profile), bounds=bounds)


@contextlib.contextmanager
def of_this_version(file: Path) -> Iterator[None]:
    """Raise a `UserError` if what is read inside lacks a field or has another one."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{file} is of another version of Breakeven: run `dvc repro`.") from None


def profile_from(values: Mapping[str, Any]) -> TimeProfile:
    """Return the profile with these values, as `asdict` gives them."""
    parts = [OperatorPart(**each) for each in values["operators"]]
    modules = [ModulePart(**each) for each in values["modules"]]
    return TimeProfile(**{**values, "operators": parts, "modules": modules})


def bound(
    profile: TimeProfile, optimization: str, parts: Sequence[str], factor: float | None = None
) -> Bound:
    """Return what an optimization can gain of some parts of a call.

    Args:
        parts: names of parts; what is not in the profile takes no time.
        factor: of their time that they are expected to take afterwards.
    """
    spent = profile.parts()
    named = [part for part in parts if part in spent]
    share = sum(spent[part] for part in named) / profile.us
    expected = None if factor is None else 1 / (1 - share * (1 - factor))
    return Bound(
        optimization, [part for part in parts if part in spent], share, 1 / (1 - share), expected, factor
    )


def duration(us: float) -> str:
    """Return a duration in microseconds with its unit."""
    return f"{microseconds(us)} µs"


def microseconds(us: float, sign: str = "") -> str:
    """Return a duration as tables have it; a `sign` of "+" also marks what is more than 0."""
    return f"{us:{sign},.0f}" if abs(us) >= 99.95 else f"{us:{sign}.1f}"


def names(parts: Iterable[OperatorPart]) -> str:
    """Return the names of the slowest operators, and how many more there are."""
    ordered = sorted(parts, key=lambda part: -part.us)
    told = [part for part in ordered if part.us] or ordered
    found = [*dict.fromkeys(_name(part) for part in told)]
    more = f" and {len(found) - FEW_NAMES} more" if len(found) > FEW_NAMES else ""
    return ", ".join(found[:FEW_NAMES]) + more


def _name(part: OperatorPart) -> str:
    own, inner = (name.removeprefix("aten::") for name in (part.operator, part.inner))
    return f"{own} (by {inner})" if inner and inner.strip("_") != own.strip("_") else own
