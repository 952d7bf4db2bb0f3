"""The times at which requests are to be sent, drawn before the first one is."""

import math

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.load.settings import LoadSettings


def times_of(settings: LoadSettings) -> NDArray[np.float64]:
    """Return the times of an open loop, seconds since its start, in order, the warm-up included."""
    assert settings.rate is not None
    if settings.arrivals == "constant":
        return constant(settings.rate, settings.total_s)
    return poisson(settings.rate, settings.total_s, settings.seed)


def poisson(rate: float, seconds: float, seed: int) -> NDArray[np.float64]:
    """Return the times of a Poisson process: those of many users who do not know of each other.

    In a given time a Poisson process has a Poisson number of events, each of which may come at any moment of
    that time with the same chance.

    Args:
        rate: events per second, on average.
        seconds: the length of the process.
        seed: the seed; the same one gives the same times.
    """
    draw = np.random.default_rng(seed)
    return np.sort(draw.uniform(0.0, seconds, draw.poisson(rate * seconds)))


def constant(rate: float, seconds: float) -> NDArray[np.float64]:
    """Return times with equal pauses, the first at 0.

    Args:
        rate: events per second.
        seconds: the end, at which no event is.
    """
    times = np.arange(math.ceil(rate * seconds)) / rate
    return times[times < seconds]
