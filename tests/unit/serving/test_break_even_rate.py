"""From which rate on batching pays: what a queue predicts, and what blocks of load show."""

import numpy as np
import pytest

from breakeven.results.served import BatchingRecord, RateTried
from breakeven.serving.capacity import findings
from breakeven.serving.capacity.batching import predicted

SOONER, LATER, UNSURE = [1.4, 1.5, 1.6], [0.5, 0.6, 0.55], [0.5, 1.0, 2.0]


def mean_ms(rate: float, work_ms: float, seed: int) -> float:
    """Of one server with arrivals at random times (Lindley's recursion)."""
    gaps = np.random.default_rng(seed).exponential(1e3 / rate, 40_000)
    wait, waits = 0.0, np.empty(len(gaps))
    for number, gap in enumerate(gaps):
        wait = max(wait + work_ms - gap, 0.0) if number else 0.0
        waits[number] = wait
    return float(waits.mean() + work_ms)


@pytest.mark.parametrize(("plain_ms", "batched_ms", "wait_ms"), [(2.0, 1.0, 2.0), (10.0, 8.0, 5.0)])
def test_at_the_predicted_rate_both_queues_take_as_long(
    plain_ms: float, batched_ms: float, wait_ms: float
) -> None:
    rate = predicted(plain_ms, batched_ms, wait_ms)
    assert rate and 0 < rate < 1e3 / plain_ms
    plain, batched = mean_ms(rate, plain_ms, 0), mean_ms(rate, batched_ms, 0) + wait_ms
    assert plain == pytest.approx(batched, rel=0.05)


def test_batching_never_pays_where_a_batch_saves_no_work_and_always_where_it_waits_for_nobody() -> None:
    assert predicted(1.0, 1.0, 2.0) is None and predicted(1.0, 1.2, 0.0) is None
    assert predicted(2.0, 1.0, 0.5) == 0.0


def record(*tried: RateTried, predicted_per_s: float | None = 300.0) -> BatchingRecord:
    return BatchingRecord(8, 2.0, 1.5, 0.4, predicted_per_s, [*tried])


def test_the_break_even_lies_between_the_last_rate_below_and_the_first_above() -> None:
    found = record(
        RateTried(100, LATER),
        RateTried(200, UNSURE),
        RateTried(300, SOONER),
        RateTried(400, [], refused=True),
    )
    assert (found.later_up_to, found.sooner_from) == (100, 300)
    said = " ".join(findings.batching_sentences("none/fp32/eager", found))
    assert "batching pays from a rate between 100 and 300 requests a second on" in said
    assert "batching pays from 300 requests a second on: a call" in said


def test_a_rate_that_is_not_surely_sooner_breaks_the_claim() -> None:
    found = record(RateTried(100, SOONER), RateTried(200, UNSURE), RateTried(300, SOONER))
    assert found.sooner_from == 300
    assert record(RateTried(100, SOONER), RateTried(200, UNSURE)).sooner_from is None


def test_never_is_said() -> None:
    said = " ".join(
        findings.batching_sentences("none/fp32/eager", record(RateTried(100, LATER), predicted_per_s=None))
    )
    assert "at no rate (100 to 100 requests a second were tried)" in said and "batching never pays" in said
