"""A queue whose waits are known: the load generator measures them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fake_service import ask, running
from numpy.typing import NDArray

from breakeven.serving import load
from breakeven.serving.load import LoadResult, LoadSettings, arrivals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SERVICE_MS = 20.0
WARM_UP_S, SECONDS = 2.0, 60.0
TOLERANCE = 0.10
# The 99th percentile of the generator, and the mean of the service: far less than the waits
MAX_LATENESS_MS, SERVICE_LATE_MS = 2.0, 0.2


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


@pytest.mark.parametrize("load_share", [0.3, 0.5, 0.8])
def test_random_arrivals_wait_as_long_as_the_theory_says(service: str, load_share: float) -> None:
    base = LoadSettings(service, rate=10.0, warm_up_s=WARM_UP_S, max_lateness_ms=MAX_LATENESS_MS, seed=1)
    alone = calm_run(replace(base, arrivals="constant", seconds=5.0))  # no request meets another one
    settings = replace(base, rate=load_share / (SERVICE_MS / 1e3), seconds=SECONDS)
    result = calm_run(settings)
    times = arrivals.times_of(settings)
    exact = lindley_ms(times, SERVICE_MS)[times >= WARM_UP_S]
    measured = result.latency_ms - alone.latency_ms.mean()
    theory = mean_wait_ms(load_share, SERVICE_MS)
    # By chance, these arrivals wait more or less than the mean of all; it is known by how much.
    controlled = measured.mean() - exact.mean() + theory
    late = result.lateness
    assert late
    print(
        f"load {load_share}: M/D/1 {theory:.2f} ms, Lindley {exact.mean():.2f} ms, measured "
        f"{measured.mean():.2f} ms (controlled {controlled:.2f} ms), alone {alone.latency_ms.mean():.2f} ms, "
        f"late {late.p50:.3f} (p50), {late.p99:.3f} (p99), {late.max:.3f} ms (max), {len(exact)} requests"
    )
    assert alone.latency_ms.mean() == pytest.approx(SERVICE_MS, rel=TOLERANCE)
    assert measured.mean() == pytest.approx(exact.mean(), rel=TOLERANCE)
    assert controlled == pytest.approx(theory, rel=TOLERANCE)
