"""The upper bound of p99 against the binomial distribution, and the histogram against sorted numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy.stats import binom

from breakeven.serving.load import histogram
from breakeven.serving.load.bounds import CONFIDENCES, bounds_of, rank_of_bound, requests_needed

latencies = st_numpy.arrays(np.int64, st.integers(1, 300), elements=st.integers(1, 10**8))


@given(st.integers(1, 20_000), st.sampled_from(CONFIDENCES))
def test_the_rank_is_the_lowest_whose_latency_is_a_bound(count: int, confidence: float) -> None:
    rank = rank_of_bound(count, confidence)
    if rank is None:
        assert binom.cdf(count - 1, count, 0.99) < confidence
    else:
        assert binom.cdf(rank - 1, count, 0.99) >= confidence > binom.cdf(rank - 2, count, 0.99)


@pytest.mark.parametrize(("confidence", "fewest"), [(0.95, 299), (0.99, 459)])
def test_it_takes_299_or_459_requests(confidence: float, fewest: int) -> None:
    assert requests_needed(confidence) == fewest
    assert rank_of_bound(fewest, confidence) == fewest and rank_of_bound(fewest - 1, confidence) is None
    at = CONFIDENCES.index(confidence)
    few = bounds_of(histogram.of(np.arange(1, fewest)), errors=0)[at]
    assert few.ms is None
    assert few.reason == f"too few requests: it takes {fewest} without an error, and there are {fewest - 1}"
    enough = bounds_of(histogram.of(np.arange(1, fewest + 1)), errors=0)[at]
    assert enough.ms == fewest / 1e3 and enough.reason == ""


def test_an_error_counts_as_slower_than_any_answer() -> None:
    counts = histogram.of(np.arange(1, 1001))
    clean, with_errors = bounds_of(counts, 0)[0].ms, bounds_of(counts, 3)[0].ms
    assert clean and with_errors and clean < with_errors
    too_many = bounds_of(counts, 20)[0]
    assert too_many.ms is None and too_many.reason == "too many errors: 20 of 1020 requests"


def test_the_bound_holds_as_often_as_it_says() -> None:
    draw = np.random.default_rng(3)
    truth = -math.log(0.01) * 1000  # the 99th percentile of exponential numbers with a mean of 1000
    runs = [bounds_of(histogram.of(draw.exponential(1000, 500).astype(np.int64)), 0)[0] for _ in range(400)]
    held = sum((bound.ms or 0) * 1000 >= truth for bound in runs)
    assert held >= binom.ppf(1e-6, 400, 0.95)


@given(latencies, st.floats(0, 1))
def test_a_quantile_has_three_digits_and_is_no_lower_than_the_exact_one(
    latencies_us: np.ndarray, share: float
) -> None:
    found = histogram.of(latencies_us).quantile(share)
    exact = np.sort(latencies_us)[max(1, math.ceil(share * len(latencies_us) - 1e-9)) - 1]
    assert exact <= found <= exact * 1.001 + 1


@given(latencies)
def test_the_buckets_hold_all_and_the_encoded_form_is_the_same(latencies_us: np.ndarray) -> None:
    from hdrh.histogram import HdrHistogram

    found = histogram.of(latencies_us)
    highest = [value for value, _ in found.buckets]
    assert found.count == len(latencies_us) and highest == sorted(set(highest))
    decoded = HdrHistogram.decode(found.encoded)
    assert decoded.get_total_count() == len(latencies_us)
    assert decoded.get_value_at_percentile(100) == highest[-1]


def test_latencies_out_of_range_are_kept_at_its_end() -> None:
    assert histogram.of(np.array([0, 10**12])).count == 2
    assert histogram.of(np.array([], dtype=np.int64)).buckets == ()
    with pytest.raises(IndexError):
        histogram.of(np.array([5])).at_rank(2)
