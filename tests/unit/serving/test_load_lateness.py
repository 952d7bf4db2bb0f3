"""A generator that is late itself makes its run void; what waits for the service does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.serving.load import LoadResult, LoadSettings
from breakeven.serving.load.exchange import TIMEOUT, Exchange
from breakeven.serving.load.lateness import Lateness, lateness_of, objection
from breakeven.serving.load.summary import summarize

MS = 1_000_000
START = 5_000 * MS


def settings(**values: float) -> LoadSettings:
    return LoadSettings("http://127.0.0.1:1/", **{"rate": 100, "warm_up_s": 0, "seconds": 10, **values})


def exchange(due_ms: float, late_ms: float = 0.0, took_ms: float = 5.0, cause: str = "") -> Exchange:
    due = START + round(due_ms * MS)
    return Exchange(due, 0, due + round(late_ms * MS), due + round(took_ms * MS), cause)


def late_run(late: int, limit_ms: float = 1.0, requests: int = 1000) -> LoadResult:
    """Return the result of a run in which so many requests were 3 ms late."""
    exchanges = [exchange(10 * each, late_ms=3.0 if each < late else 0.1) for each in range(requests)]
    return summarize(settings(max_lateness_ms=limit_ms), exchanges, START, None)


def test_one_late_request_in_a_hundred_is_allowed_and_one_more_is_not() -> None:
    fine, void = late_run(10), late_run(11)
    assert fine.void == "" and fine.latency and fine.lateness and fine.lateness.max == 3.0
    assert void.void.startswith("void: the load generator itself sent 1% of the requests 3 ms late or later")
    assert "--max-lateness-ms" in void.void
    assert late_run(11, limit_ms=3.0).void == ""


def test_a_void_run_has_no_figures_of_the_service() -> None:
    void = late_run(500)
    assert (void.latency, void.histogram, void.p99_bounds) == (None, None, ())
    assert void.lateness == Lateness(0.1, 3.0, 3.0)
    written = void.to_dict()
    assert written["latency_ms"] is None and written["histogram_us"] is None and written["void"]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300), st.floats(0, 1000))
def test_void_means_that_more_than_one_percent_are_later_than_allowed(late: list[int], limit: float) -> None:
    found = objection(lateness_of(np.array(late)), limit)
    assert bool(found) == (sum(each / 1e6 > limit for each in late) > len(late) // 100)


def test_nothing_sent_is_not_late() -> None:
    assert lateness_of(np.array([], dtype=np.int64)) is None and objection(None, 0) == ""


def test_latency_counts_from_the_intended_time() -> None:
    result = summarize(settings(), [exchange(0, late_ms=0.5, took_ms=8.0)], START, None)
    assert result.latency and result.latency.max == result.latency.mean == 8.0
    assert result.latency.p50 <= result.latency.max


def test_the_warm_up_does_not_count() -> None:
    exchanges = [exchange(0, took_ms=900), exchange(999, took_ms=900), exchange(1000), exchange(2000)]
    result = summarize(settings(warm_up_s=1.0), exchanges, START, None)
    assert result.requests == 2 and result.latency and result.latency.max == 5.0
    assert result.due_s.tolist() == [1.0, 2.0]


def test_errors_have_a_cause_and_no_latency() -> None:
    exchanges = [exchange(0), exchange(1, took_ms=1000, cause=TIMEOUT), exchange(2, cause="HTTP 503")]
    result = summarize(settings(), [*exchanges, exchange(3, cause="HTTP 503")], START, None)
    assert (result.requests, result.answered) == (4, 1)
    assert list(result.errors.items()) == [("HTTP 503", 2), (TIMEOUT, 1)]
    assert result.latency and result.latency.max == 5.0


@pytest.mark.parametrize(("last_ms", "rate"), [(9000, 2 / 10), (19_995, 2 / 20)])
def test_the_rate_counts_until_the_last_answer(last_ms: float, rate: float) -> None:
    result = summarize(settings(), [exchange(0), exchange(last_ms)], START, None)
    assert result.rate == pytest.approx(rate)


def test_an_interrupted_run_has_the_figures_until_then() -> None:
    under_way = Exchange(START + 900 * MS, begun_ns=START + 900 * MS)
    result = summarize(settings(), [exchange(0), exchange(100), under_way], START, START + 1000 * MS)
    assert result.interrupted and (result.requests, result.under_way) == (2, 1)
    assert result.rate == pytest.approx(2.0)
    nothing = summarize(settings(warm_up_s=5.0), [exchange(0)], START, START + 1000 * MS)
    assert nothing.interrupted and nothing.requests == 0 and nothing.latency is None
