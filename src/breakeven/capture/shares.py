"""How often each outcome came, with intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy import stats

from breakeven.capture.outcome import SIGNS, Kind, Outcome

CONFIDENCE = 0.95
JUDGED: Sequence[Kind] = [kind for kind in SIGNS if kind != "random"]  # in the order of tables


@dataclass(frozen=True)
class Share:
    """The share of models with one outcome in one way."""

    way: str
    kind: Kind
    count: int
    total: int  # models; those that are not repeatable do not count
    low: float  # of the interval of Wilson (1927, Journal of the American Statistical Association 22)
    high: float

    def __str__(self) -> str:
        return f"{self.count} ({self.count / self.total:.0%}; {self.low:.0%} to {self.high:.0%})"


def shares(outcomes: Iterable[Outcome]) -> dict[str, list[Share]]:
    """Return way -> the share of each outcome, in the order of `SIGNS`, without unrepeatable models."""
    of: dict[str, list[Outcome]] = {}
    for each in outcomes:
        if each.kind != "random":
            of.setdefault(each.way, []).append(each)
    return {way: [_share(way, kind, found) for kind in JUDGED] for way, found in of.items()}


def _share(way: str, kind: Kind, outcomes: Sequence[Outcome]) -> Share:
    count, total = sum(each.kind == kind for each in outcomes), len(outcomes)
    interval = stats.binomtest(count, total).proportion_ci(CONFIDENCE, method="wilson")
    return Share(way, kind, count, total, float(interval.low), float(interval.high))
