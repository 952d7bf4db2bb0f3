"""The trend of a variant's speedup over model size, and the size at which the variant breaks even."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from breakeven.core.format import brief
from breakeven.engine.statistics import FASTER, SLOWER, Interval
from breakeven.results.result_row import ResultRow

GROWS, SHRINKS, UNDECIDED = "grows with the model", "shrinks as the model grows", "undecided"
MIN_MODELS = 4  # models: with fewer, the correlation has no interval
RESAMPLES = 2000


@dataclass(frozen=True)
class Size:
    """A measure of a model's size."""

    column: str  # of a row
    unit: str
    title: str  # of an axis

    def of(self, row: ResultRow) -> int:
        """Return the size of a row's model."""
        value: int = getattr(row, self.column)
        return value


MACS = Size("macs", "MACs", "multiply-accumulates of one input")
PARAMETERS = Size("params", "parameters", "parameters")
SIZES = (MACS, PARAMETERS)


@dataclass(frozen=True)
class Trend:
    """A variant on one hardware, over models of several sizes."""

    variant: str
    hardware: str
    size: Size
    models: int
    faster: int  # models on which the variant is faster
    slower: int
    correlation: Interval  # Spearman's, between size and speedup
    slope: float  # factor of the speedup for ten times the size
    intercept: float  # logarithm of the fitted speedup at size one
    crossing: Interval | None  # the size at which the fitted speedup is 1
    smallest: float
    largest: float

    @property
    def verdict(self) -> str:
        """Return whether the speedup grows or shrinks with the size."""
        if self.correlation.low > 0:
            return GROWS
        return SHRINKS if self.correlation.high < 0 else UNDECIDED

    def fitted(self, size: float) -> float:
        """Return the speedup that the fit gives at a size."""
        return math.exp(self.intercept + math.log(self.slope) * math.log10(size))

    @property
    def pays(self) -> str:
        """Return in words the sizes at which the variant pays by the fit.

        The text mentions measured models that contradict the fit.
        """
        ends = self.fitted(self.smallest), self.fitted(self.largest)
        if min(ends) > 1:
            return f"at every size measured{f', though slower on {self.slower}' if self.slower else ''}"
        if max(ends) < 1 or self.crossing is None:
            return f"at no size measured{f', though faster on {self.faster}' if self.faster else ''}"
        at = self.crossing
        side = "above" if self.slope > 1 else "below"
        value, low, high = (brief(size / 1e6) for size in (at.value, at.low, at.high))
        # The interval is cut off at the measured sizes, so the crossing may lie beyond them.
        less = " or less" if at.low <= 1.001 * self.smallest else ""
        more = " or more" if at.high >= 0.999 * self.largest else ""
        doubt = "" if self.slower else ", and surely slower on none"
        return f"{side} {value} million {self.size.unit} ({low}{less} to {high}{more}){doubt}"


def trend(rows: Sequence[ResultRow], confidence: float, size: Size = MACS) -> Trend | None:
    """Return the trend of one variant on one hardware; None if there are too few models.

    Rows with equal multiply-accumulates and equal parameters belong to one model, which counts once.
    The fit is a straight line through the logarithms of size and speedup, by least squares. Its crossing has
    a percentile interval over resampled models. Spearman's correlation has the interval of Bonett and Wright
    (Psychometrika 65, 2000).
    """
    models: dict[tuple[int, int], list[ResultRow]] = {}
    for row in rows:
        if row.speedup:
            models.setdefault((row.macs, row.params), []).append(row)
    same = list(models.values())
    if len({size.of(group[0]) for group in same}) < MIN_MODELS:
        return None
    large = np.log10([size.of(group[0]) for group in same])
    gain = np.array([np.mean(np.log([row.speedup or 1.0 for row in group])) for group in same])
    line = stats.linregress(large, gain)
    return Trend(
        variant=rows[0].variant,
        hardware=rows[0].hardware,
        size=size,
        models=len(same),
        faster=sum(all(row.verdict == FASTER for row in group) for group in same),
        slower=sum(any(row.verdict == SLOWER for row in group) for group in same),
        correlation=spearman(large, gain, confidence),
        slope=math.exp(line.slope),
        intercept=float(line.intercept),
        crossing=_crossing(large, gain, confidence),
        smallest=float(10 ** large.min()),
        largest=float(10 ** large.max()),
    )


def spearman(x: NDArray[np.float64], y: NDArray[np.float64], confidence: float) -> Interval:
    """Return Spearman's rank correlation with its interval; -1 to 1 if `x` or `y` is constant."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Interval(0.0, -1.0, 1.0)
    correlation = float(stats.spearmanr(x, y).statistic)
    # atanh(1) is infinite. A perfect correlation is replaced by one half-way to the next lower value that
    # this many models can have.
    most = 1 - 6 / (len(x) ** 3 - len(x))
    center = math.atanh(min(max(correlation, -most), most))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * math.sqrt((1 + correlation**2 / 2) / (len(x) - 3))
    low, high = math.tanh(center - half), math.tanh(center + half)
    return Interval(correlation, min(correlation, low), max(correlation, high))


def _crossing(x: NDArray[np.float64], y: NDArray[np.float64], confidence: float) -> Interval | None:
    """Return the size at which the fitted line is zero, with its interval; None outside the measured sizes.

    A resampled line that does not cross zero within the measured sizes counts as a crossing at one end: the
    end from which every size pays if the line is positive, the other end if it is negative. A resampled line
    of the opposite slope tells nothing about the place of the crossing, so it widens the interval at both
    ends.
    """
    ends = np.array([x.min(), x.max()])
    slope, intercept = np.polyfit(x, y, 1)
    if slope == 0 or not ends[0] <= (at := -intercept / slope) <= ends[1]:
        return None
    all_pay, none_pay = ends if slope > 0 else ends[::-1]
    generator = np.random.default_rng(0)
    crossings, opposed = [], 0
    for _ in range(RESAMPLES):
        chosen = generator.integers(0, len(x), len(x))
        if np.ptp(x[chosen]) == 0:
            continue
        line = np.polyfit(x[chosen], y[chosen], 1)
        gains = np.polyval(line, ends)
        if gains.min() >= 0 or gains.max() <= 0:
            crossings.append(all_pay if gains.min() >= 0 else none_pay)
        elif line[0] * slope > 0:
            crossings.append(-line[1] / line[0])
        else:
            opposed += 1
    tail = 100 * (1 - confidence) / 2
    low = np.percentile(crossings + [ends[0]] * opposed, tail)
    high = np.percentile(crossings + [ends[1]] * opposed, 100 - tail)
    return Interval(float(10**at), float(10**low), float(10**high))
