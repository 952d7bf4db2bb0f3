"""From the requests of a run to its figures."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from breakeven.serving.load import histogram
from breakeven.serving.load.bounds import bounds_of
from breakeven.serving.load.exchange import Exchange
from breakeven.serving.load.histogram import Histogram
from breakeven.serving.load.lateness import lateness_of, objection
from breakeven.serving.load.result import Latency, LoadResult
from breakeven.serving.load.settings import LoadSettings


def summarize(
    settings: LoadSettings, exchanges: Iterable[Exchange], start_ns: int, interrupted_ns: int | None
) -> LoadResult:
    """Return the figures of a run.

    Args:
        exchanges: all requests that were begun; those of the warm-up do not count.
        start_ns: when the warm-up began, as of `time.perf_counter_ns`.
        interrupted_ns: when the run was interrupted; None if it was not.
    """
    counted_ns = start_ns + round(settings.warm_up_s * 1e9)
    begun = [each for each in exchanges if each.due_ns >= counted_ns]
    ended = [each for each in begun if each.ended_ns]
    answered = [each for each in ended if not each.cause]
    errors = Counter(each.cause for each in ended if each.cause)
    planned_ns = counted_ns + round(settings.seconds * 1e9)
    end_ns = max(interrupted_ns or planned_ns, *(each.ended_ns for each in ended), counted_ns + 1)
    lateness = None
    if settings.rate is not None:
        lateness = lateness_of(np.array([each.begun_ns - each.due_ns for each in begun], dtype=np.int64))
    void = objection(lateness, settings.max_lateness_ms)
    due_ns = np.array([each.due_ns for each in answered], dtype=np.int64)
    latency_ns = np.array([each.ended_ns for each in answered], dtype=np.int64) - due_ns
    counts = None if void else histogram.of(np.rint(latency_ns / 1e3).astype(np.int64))
    return LoadResult(
        settings=settings,
        requests=len(ended),
        answered=len(answered),
        errors=dict(errors.most_common()),
        under_way=len(begun) - len(ended),
        rate=len(answered) / ((end_ns - counted_ns) / 1e9),
        latency=_latency(counts, float(latency_ns.mean()) / 1e6) if counts and answered else None,
        p99_bounds=bounds_of(counts, errors.total()) if counts else (),
        lateness=lateness,
        void=void,
        interrupted=interrupted_ns is not None,
        histogram=counts,
        due_s=(due_ns - start_ns) / 1e9,
        latency_ms=latency_ns / 1e6,
    )


def _latency(counts: Histogram, mean_ms: float) -> Latency:
    p50, p90, p99, p999 = (counts.quantile(share) / 1e3 for share in (0.5, 0.9, 0.99, 0.999))
    return Latency(p50, p90, p99, p999, counts.longest_us / 1e3, mean_ms)
