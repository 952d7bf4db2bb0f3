"""The hardware's peaks, and how far a variant is from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import Unsupported
from breakeven.measure.peaks import BYTES, probe, roofline_ms

PEAKS = {"fp32": 1e11, "bf16": 1e12, "int8": 2e12, "bytes": 1e10}
COUNTS = st.integers(1, 10**10)


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return probe({"name": "cpu", "threads": 1})


def test_the_probe_finds_what_this_processor_does(found: dict[str, float]) -> None:
    assert found.keys() >= {"fp32", "bytes"}
    assert all(rate > 1e8 for rate in found.values())


def test_a_product_of_matrices_computes_more_than_it_moves(found: dict[str, float]) -> None:
    assert found["fp32"] > found["bytes"] / 4


def test_a_hardware_that_is_not_there_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="the probe of its peaks failed"):
        probe({"name": "cuda", "threads": 1, "index": 99})


@given(st.sampled_from(list(BYTES)), COUNTS, COUNTS, COUNTS, st.integers(1, 1000))
def test_no_time_is_below_what_computing_or_moving_alone_takes(
    precision: str, macs: int, weights: int, activations: int, batch: int
) -> None:
    least = roofline_ms(PEAKS, precision, macs, weights, activations, batch)
    compute = 2e3 * macs * batch / PEAKS[precision]
    moved = 1e3 * BYTES[precision] * (weights + activations * batch) / PEAKS["bytes"]
    assert least == pytest.approx(max(compute, moved))


def test_what_the_hardware_was_not_probed_for_has_no_roofline() -> None:
    assert roofline_ms({"fp32": 1.0, "bytes": 1.0}, "int8", 1, 1, 1, 1) is None
    assert roofline_ms({}, "fp32", 1, 1, 1, 1) is None
