"""The times of requests: in order, at the rate, the same for the same seed, and Poisson."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.core.errors import UserError
from breakeven.serving.load import LoadSettings, arrivals

URL = "http://127.0.0.1:1/"
rates, lengths, seeds = st.floats(0.1, 500), st.floats(0.01, 20), st.integers(0, 2**32)


@given(rates, lengths, seeds)
def test_random_times_are_in_order_and_as_many_as_the_rate_says(
    rate: float, seconds: float, seed: int
) -> None:
    times = arrivals.poisson(rate, seconds, seed)
    assert (np.diff(times) >= 0).all() and ((times >= 0) & (times < seconds)).all()
    low, high = stats.poisson.ppf([1e-9, 1 - 1e-9], rate * seconds)
    assert low <= len(times) <= high


@given(rates, lengths, seeds)
def test_a_seed_gives_the_same_times_again(rate: float, seconds: float, seed: int) -> None:
    assert np.array_equal(arrivals.poisson(rate, seconds, seed), arrivals.poisson(rate, seconds, seed))


@given(rates, lengths)
def test_constant_times_are_equally_far_apart(rate: float, seconds: float) -> None:
    times = arrivals.constant(rate, seconds)
    assert times[0] == 0 and times[-1] < seconds <= times[-1] + 1.000001 / rate
    assert np.allclose(np.diff(times), 1 / rate)


def test_the_pauses_of_random_times_are_exponential_and_independent() -> None:
    pauses = np.diff(arrivals.poisson(50.0, 400.0, 1))
    assert stats.kstest(pauses, "expon", args=(0, 1 / 50)).pvalue > 1e-4
    assert abs(np.corrcoef(pauses[1:], pauses[:-1])[0, 1]) < 4 / np.sqrt(len(pauses))


def test_the_settings_choose_the_times_and_the_warm_up_is_a_part_of_them() -> None:
    constant = LoadSettings(URL, rate=10, arrivals="constant", seconds=2, warm_up_s=1)
    assert len(arrivals.times_of(constant)) == 30
    random = LoadSettings(URL, rate=10, seconds=2, warm_up_s=1, seed=7)
    assert np.array_equal(arrivals.times_of(random), arrivals.poisson(10, 3, 7))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "give --rate for an open loop, or --closed"),
        ({"rate": 1, "closed": 1}, "not both"),
        ({"rate": 1e6}, "do not fit in memory; take fewer seconds"),
        ({"rate": 1, "arrivals": "bursts"}, "--arrivals bursts: choose poisson or constant"),
        ({"rate": 1, "timeout_s": 1e6}, "--timeout 1e+06: give at most 3600 s"),
        ({"rate": 1, "seed": -1}, "--seed -1: give 0 or more"),
        ({"rate": 1, "core": 4096}, "--core 4096: this process may use "),
        ({"closed": 20_000}, "--closed 20000: give at most 10000."),
        (
            {"closed": 5, "connections": 4},
            "--closed 5: each caller takes a connection, and --connections allows 4.",
        ),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(values: dict[str, float], said: str) -> None:
    with pytest.raises(UserError) as refused:
        LoadSettings(URL, **values)
    assert said in str(refused.value) and str(refused.value).endswith(".")
