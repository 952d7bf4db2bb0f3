"""What a load test found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.load.bounds import Bound
from breakeven.serving.load.histogram import Histogram
from breakeven.serving.load.lateness import Lateness
from breakeven.serving.load.settings import LoadSettings


@dataclass(frozen=True)
class Latency:
    """Latencies of the answered requests, from when each should have been sent; milliseconds."""

    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    mean: float


@dataclass(frozen=True)
class LoadResult:
    """The figures of a run, without its warm-up.

    Attributes:
        settings: what was asked for.
        requests: the requests that ended.
        answered: those with a status of 2xx.
        errors: the number of errors of each cause. An error has no latency.
        under_way: the requests that an interrupted run left without an answer.
        rate: answered requests per second. The time counts until the last request ended.
        latency: None if no request was answered, or the run is void.
        p99_bounds: upper bounds of the 99th percentile of all requests; none if the run is void.
        lateness: the generator's own; None for a closed loop, in which no request has a time of its own.
        void: why the run is void; "" if it is not.
        interrupted: whether Ctrl-C ended the run. The figures are those until then.
        histogram: the latencies; None if the run is void.
        due_s: when each answered request should have been sent, seconds from the start of the warm-up.
        latency_ms: the latency of each answered request, also if the run is void, milliseconds.
    """

    settings: LoadSettings
    requests: int
    answered: int
    errors: Mapping[str, int]
    under_way: int
    rate: float
    latency: Latency | None
    p99_bounds: tuple[Bound, ...]
    lateness: Lateness | None
    void: str
    interrupted: bool
    histogram: Histogram | None
    due_s: NDArray[np.float64] = field(repr=False, compare=False)
    latency_ms: NDArray[np.float64] = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the single requests, as JSON can hold it; names end in the unit."""
        values = asdict(self)
        for name in ("due_s", "latency_ms"):
            del values[name]
        values["settings"]["files"] = [str(file) for file in self.settings.files]
        values["errors"] = dict(self.errors)
        if self.histogram:
            values["histogram"]["buckets"] = {str(us): count for us, count in self.histogram.buckets}
        for name, renamed in (
            ("rate", "rate_per_s"),
            ("latency", "latency_ms"),
            ("lateness", "lateness_ms"),
            ("histogram", "histogram_us"),
        ):
            values[renamed] = values.pop(name)
        return values
