"""A queue whose waits are known: the load generator measures them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fake_service import running
from known_queue import calm_run, lindley_ms, mean_wait_ms, typical, waits_of

from breakeven.serving.load import LoadSettings, arrivals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SERVICE_MS = 50.0  # a busy machine adds some tenths of a millisecond to each wait
WARM_UP_S, SECONDS = 3.0, 60.0
TOLERANCE = 0.10
MAX_LATENESS_MS = 5.0  # of the generator at the 99th percentile: far less than the waits
LOADS = [0.3, 0.5, 0.8]


@pytest.fixture
def service() -> Iterator[str]:
    with running(SERVICE_MS) as url:
        yield url


@pytest.mark.parametrize("load_share", LOADS)
def test_the_exact_waits_of_many_arrivals_are_those_of_the_theory(load_share: float) -> None:
    times = arrivals.poisson(load_share / (SERVICE_MS / 1e3), 40_000.0, seed=1)
    theory = mean_wait_ms(load_share, SERVICE_MS)
    assert lindley_ms(times, SERVICE_MS).mean() == pytest.approx(theory, rel=0.05)


@pytest.mark.parametrize("load_share", LOADS)
def test_random_arrivals_wait_as_long_as_the_theory_says(service: str, load_share: float) -> None:
    theory = mean_wait_ms(load_share, SERVICE_MS)
    settings = LoadSettings(
        service,
        rate=load_share / (SERVICE_MS / 1e3),
        seconds=SECONDS,
        warm_up_s=WARM_UP_S,
        max_lateness_ms=MAX_LATENESS_MS,
    )
    # At equal pauses no request meets another one.
    alone = calm_run(replace(settings, arrivals="constant", seconds=5.0)).latency_ms.mean()
    settings = typical(settings, load_share, SERVICE_MS)
    exact = waits_of(settings, SERVICE_MS)
    result = calm_run(settings)
    measured = result.latency_ms - alone
    late = result.lateness
    assert late and len(measured) == len(exact)
    print(
        f"load {load_share}: M/D/1 {theory:.2f} ms, Lindley {exact.mean():.2f} ms, measured "
        f"{measured.mean():.2f} ms, alone {alone:.2f} ms, late {late.p50:.3f} (p50), {late.p99:.3f} (p99), "
        f"{late.max:.3f} ms (max), {len(exact)} requests"
    )
    assert alone == pytest.approx(SERVICE_MS, rel=TOLERANCE)
    assert measured.mean() == pytest.approx(exact.mean(), rel=TOLERANCE)
    assert measured.mean() == pytest.approx(theory, rel=TOLERANCE)
