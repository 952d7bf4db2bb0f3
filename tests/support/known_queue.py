"""The queue of a service in which each request takes the same time: how long random arrivals wait in it."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from fake_service import ask
from numpy.typing import NDArray

from breakeven.serving import load
from breakeven.serving.load import LoadResult, LoadSettings, arrivals

SERVICE_LATE_MS = 0.5  # the mean lateness of a service that a busy machine does not disturb


def lindley_ms(times_s: NDArray[np.float64], service_ms: float) -> NDArray[np.float64]:
    """Return how long each of these arrivals waits in the queue of one server, by Lindley's recursion."""
    waits = np.zeros(len(times_s))
    for each, pause_s in enumerate(np.diff(times_s), 1):
        waits[each] = max(0.0, waits[each - 1] + service_ms - 1e3 * pause_s)
    return waits


def mean_wait_ms(load_share: float, service_ms: float) -> float:
    """Return the mean wait of M/D/1: random arrivals, a constant service time, one server."""
    return load_share * service_ms / (2 * (1 - load_share))


def waits_of(settings: LoadSettings, service_ms: float) -> NDArray[np.float64]:
    """Return the exact waits of the counted requests, milliseconds."""
    times = arrivals.times_of(settings)
    return lindley_ms(times, service_ms)[times >= settings.warm_up_s]


def typical(settings: LoadSettings, load_share: float, service_ms: float) -> LoadSettings:
    """Return these settings with the first seed whose arrivals wait about as long as those of all seeds do.

    The mean wait of one minute of arrivals differs from the theory's by a fifth, by chance alone.
    """
    seeds = (replace(settings, seed=seed) for seed in count())
    theory_ms = mean_wait_ms(load_share, service_ms)
    return next(each for each in seeds if abs(waits_of(each, service_ms).mean() / theory_ms - 1) < 0.02)


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
