"""From which rate on batching pays: what a queue predicts, and what blocks of load show."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fakes
import numpy as np
import pytest

from breakeven.results.served import BatchingRecord, RateTried
from breakeven.serving.capacity import batching, findings
from breakeven.serving.capacity.batching import BATCHED, PLAIN, predicted
from breakeven.serving.settings import ServiceSettings

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
    assert "surely answers later up to 100 requests a second, and surely sooner from 300 on" in said
    assert "batching pays from 300 requests a second on. It shortens the call only" in said


def test_a_rate_that_is_not_surely_sooner_breaks_the_claim() -> None:
    found = record(RateTried(100, SOONER), RateTried(200, UNSURE), RateTried(300, SOONER))
    assert found.sooner_from == 300
    assert record(RateTried(100, SOONER), RateTried(200, UNSURE)).sooner_from is None


def test_never_is_said() -> None:
    said = " ".join(
        findings.batching_sentences("none/fp32/eager", record(RateTried(100, LATER), predicted_per_s=None))
    )
    assert "at the rates that were tried (100 to 100 a second)" in said and "batching never pays" in said


class Blocks:
    """Blocks of two services: at some rates the generator is late, and from one on a service refuses."""

    def __init__(self, late: float, refuses: float) -> None:
        self._late, self._refuses = late, refuses

    def closed(self, name: str) -> Any:
        return SimpleNamespace(latency_ms=np.full(3, 2.0))

    def rounds(self, number: int, seed: int) -> list[list[str]]:
        return [[PLAIN, BATCHED]]

    def open(self, name: str, rate: float, seed: int) -> Any:
        is_late = rate == pytest.approx(self._late) and seed > 0
        refused = name == PLAIN and rate >= self._refuses
        mean = (2.0 if name == PLAIN else 3.0) + 0.01 * seed
        return SimpleNamespace(
            latency=None if is_late else SimpleNamespace(mean=mean),
            errors={"status 503": 1} if refused else {},
        )


def test_a_late_generator_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "_call_ms", lambda blocks, body: 1.0 if body is None else 4.0)
    blocks: Any = Blocks(late=150.0, refuses=500.0)
    found = batching.compare(blocks, fakes.IMAGES, tmp_path, ServiceSettings(max_batch=8), replicates=3)
    tried = {round(each.per_s): each for each in found.tried}
    assert 150 not in tried  # a single pair has no interval
    assert {rate for rate, each in tried.items() if each.refused} == {500, 575}
    assert len(tried[50].ratios) == 3 and found.later_up_to == pytest.approx(425) and found.sooner_from == 500
    assert found.batch_ms == pytest.approx(1.0)
