"""The hardware's peaks, and how far a variant is from them."""

import json
import subprocess
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.errors import Unsupported
from breakeven.engine.roofline import BYTES_PER_NUMBER, WORKING_SETS, HardwarePeaks, probe

PEAKS = HardwarePeaks({"fp32": 1e11, "bf16": 1e12, "int8": 2e12}, {"1000": 1e11, "1000000": 1e10})
COUNTS = st.integers(1, 10**10)


@pytest.fixture(scope="module")
def found() -> HardwarePeaks:
    return probe({"name": "cpu", "threads": 1})


def test_the_probe_finds_what_this_processor_does(found: HardwarePeaks) -> None:
    assert "fp32" in found.operations and list(found.bytes) == [str(size) for size in WORKING_SETS]
    assert all(rate > 1e8 for rate in [*found.operations.values(), *found.bytes.values()])
    assert min(found.operations.values()) == found.operations["fp32"]  # what is slower is no peak
    assert HardwarePeaks(**json.loads(json.dumps(asdict(found)))) == found


def test_a_product_of_matrices_computes_more_than_it_moves(found: HardwarePeaks) -> None:
    assert found.operations["fp32"] > found.rate(2**28) / 4


def test_a_hardware_that_is_not_there_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="the probe of its peaks failed"):
        probe({"name": "cuda", "threads": 1, "index": 99})


def test_a_probe_that_is_killed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.CompletedProcess([], -9, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *command, **settings: killed)
    with pytest.raises(Unsupported, match="exit code -9"):
        probe({"name": "cpu", "threads": 1})


@given(st.sampled_from(list(BYTES_PER_NUMBER)), COUNTS, COUNTS, COUNTS, st.integers(1, 1000))
def test_no_time_is_below_what_computing_or_moving_alone_takes(
    precision: str, macs: int, weights: int, activations: int, batch: int
) -> None:
    least = PEAKS.roofline_ms(precision, macs, weights, activations, batch)
    compute = 2e3 * macs * batch / PEAKS.operations[precision]
    moved = BYTES_PER_NUMBER[precision] * (weights + activations * batch)
    assert least == pytest.approx(max(compute, 1e3 * moved / (1e11 if moved < 1e6 else 1e10)))


def test_a_working_set_is_moved_at_most_as_fast_as_a_smaller_one() -> None:
    assert [PEAKS.rate(size) for size in (1, 1000, 10**6 - 1, 10**6, 10**9)] == [1e11, 1e11, 1e11, 1e10, 1e10]


def test_what_the_hardware_was_not_probed_for_has_no_roofline() -> None:
    assert HardwarePeaks({"fp32": 1.0}, {"1": 1.0}).roofline_ms("int8", 1, 1, 1, 1) is None
