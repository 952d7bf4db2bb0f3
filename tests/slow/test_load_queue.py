"""A queue whose waits are known: the load generator measures them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from fake_service import ask, running
from numpy.typing import NDArray

from breakeven.serving import load
from breakeven.serving.load import LoadResult, LoadSettings, arrivals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SERVICE_MS = 50.0  # a busy machine adds some tenths of a millisecond to each wait
WARM_UP_S, SECONDS = 3.0, 60.0
TOLERANCE = 0.10
# The 99th percentile of the generator, and the mean of the service: far less than the waits
MAX_LATENESS_MS, SERVICE_LATE_MS = 5.0, 0.5
LOADS = [0.3, 0.5, 0.8]


@pytest.fixture
def service() -> Iterator[str]:
    with running(SERVICE_MS) as url:
        yield url


def lindley_ms(times_s: NDArray[np.float64], service_ms: float) -> NDArray[np.float64]:
    """Return how long each of these arrivals waits in the queue of one server, by Lindley's recursion."""
    waits = np.zeros(len(times_s))
    for each, pause_s in enumerate(np.diff(times_s), 1):
        waits[each] = max(0.0, waits[each - 1] + service_ms - 1e3 * pause_s)
    return waits


def mean_wait_ms(load_share: float, service_ms: float) -> float:
    """Return the mean wait of M/D/1: random arrivals, a constant service time, one server."""
    return load_share * service_ms / (2 * (1 - load_share))


def waits_of(settings: LoadSettings) -> NDArray[np.float64]:
    """Return the exact waits of the counted requests, milliseconds."""
    times = arrivals.times_of(settings)
    return lindley_ms(times, SERVICE_MS)[times >= WARM_UP_S]


def typical(settings: LoadSettings, theory_ms: float) -> LoadSettings:
    """Return these settings with the first seed whose arrivals wait about as long as those of all seeds do.

    The mean wait of one minute of arrivals differs from the theory's by a fifth, by chance alone.
    """
    seeds = (replace(settings, seed=seed) for seed in count())
    return next(each for each in seeds if abs(waits_of(each).mean() / theory_ms - 1) < 0.02)


def calm_run(settings: LoadSettings) -> LoadResult:
    """Return a run in which neither the generator nor the service was late: the machine did nothing else."""
    for _ in range(3):
        ask(f"{settings.url}/late-ms")
        result = load.run(settings)
        assert not result.interrupted and not result.errors, result.errors
        service_late_ms = np.mean(ask(f"{settings.url}/late-ms"))
        if not result.void and service_late_ms < SERVICE_LATE_MS:
            return result
    pytest.skip(f"the machine is busy: {result.void} The service was late by {service_late_ms:.2f} ms.")


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
    settings = typical(settings, theory)
    exact = waits_of(settings)
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
