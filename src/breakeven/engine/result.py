"""The result of a measurement of callables."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from breakeven.core.errors import UserError
from breakeven.engine import statistics
from breakeven.engine.comparison import BASELINE, Comparison, speedups_over
from breakeven.engine.levels import log_levels
from breakeven.engine.quality_checks import QualityWarning
from breakeven.engine.samples import Replicate
from breakeven.engine.settings import TWIN
from breakeven.engine.statistics import Interval


@dataclass(frozen=True)
class TimedVariant:
    """The result of one variant.

    Attributes:
        verdict: "baseline", "twin", "faster", "slower", "same" or "undecided". A variant without timing
            has "wrong" (its output differs), "failed" or "unsupported".
        reason: the reason of a verdict that needs one, otherwise "".
        speedup: the baseline's time over this variant's time, with a corrected interval.
        time: the time of one call, seconds.
        detectable: the smallest speedup that a run like this one finds in four of five tries.
        replicates: the single calls, by fresh process.
    """

    name: str
    verdict: str
    reason: str = ""
    speedup: Interval | None = None
    time: Interval | None = None
    detectable: float | None = None
    replicates: list[Replicate] = field(default_factory=list, repr=False)

    @classmethod
    def from_comparison(cls, name: str, comparison: Comparison) -> "TimedVariant":
        """Return the result for a comparison of the engine, with the time in seconds."""
        latency = comparison.latency_ms
        return cls(
            name,
            comparison.verdict,
            comparison.reason,
            comparison.speedup,
            latency and Interval(latency.value / 1e3, latency.low / 1e3, latency.high / 1e3),
            comparison.min_detectable_effect,
            comparison.replicates,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all figures except the single calls, as values that JSON can hold."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "reason": self.reason,
            "speedup": self.speedup and asdict(self.speedup),
            "time_s": self.time and asdict(self.time),
            "detectable": self.detectable,
            "replicates": len(self.replicates),
        }


@dataclass(frozen=True)
class Result(Mapping[str, TimedVariant]):
    """The results of all variants of one run, by name. `print(result)` shows them as a table.

    Attributes:
        control: the twin, a second copy of the baseline (the A/A control).
        stopped: the reason why the run ended.
        seconds: the time that the run took.
        warnings: the problems of the run, each with a remedy.
        loop_ns: the time that the inner loop adds to each call; None if calls were timed one by one.
    """

    variants: dict[str, TimedVariant]
    baseline: str
    control: TimedVariant | None
    stopped: str
    seconds: float
    warnings: list[QualityWarning]
    confidence: float
    margin: float
    loop_ns: float | None = None

    def __getitem__(self, name: str) -> TimedVariant:
        try:
            return self.variants[name]
        except KeyError:
            raise KeyError(f"no variant {name!r}; there are {', '.join(self.variants)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.variants)

    def __len__(self) -> int:
        return len(self.variants)

    def compare(self, one: str, other: str) -> TimedVariant:
        """Return the speedup of `other` over `one`, with an interval corrected for the number of variants.

        The intervals of all variants over `one` hold at once. The verdicts "faster" and "slower" also need a
        speedup that is farther from 1 than the twin's interval.

        Raises:
            UserError: a name is unknown, both are one variant, or one of them was not timed.
        """
        if one not in self.variants or other not in self.variants or one == other:
            raise UserError(f"compare({one!r}, {other!r}): name two of {', '.join(self.variants)}.")
        for name in (one, other):
            if len(self[name].replicates) < 2 or self[name].time is None:
                raise UserError(f"compare: {name} was not timed ({self[name].verdict}).")
        timed = [each for each in self.variants.values() if each.time is not None]
        if self.control and self.control.time is not None:
            timed.append(self.control)
        timed.sort(key=lambda each: each.name != self.baseline)
        levels = log_levels({each.name: each.replicates for each in timed if len(each.replicates) > 1})
        found = speedups_over(one, levels, self.confidence, TWIN)[other]
        floor = statistics.noise_floor(self.control.speedup) if self.control and self.control.speedup else 1.0
        verdict, reason = statistics.verdict_beyond(found.interval, self.margin, floor)
        measured = self[other]
        return TimedVariant(
            other, verdict, reason, found.interval, measured.time, found.detectable, measured.replicates
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as values that JSON can hold."""
        return {
            "baseline": self.baseline,
            "variants": {name: each.to_dict() for name, each in self.variants.items()},
            "control": self.control and self.control.to_dict(),
            "stopped": self.stopped,
            "seconds": self.seconds,
            "warnings": [asdict(warning) for warning in self.warnings],
            "confidence": self.confidence,
            "margin": self.margin,
            "loop_ns": self.loop_ns,
        }

    def to_json(self) -> str:
        """Return all figures as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    @property
    def others(self) -> list[TimedVariant]:
        """Return all variants except the baseline."""
        return [each for each in self.variants.values() if each.verdict != BASELINE]

    def __str__(self) -> str:
        from breakeven.engine.result_text import render

        return render(self)
