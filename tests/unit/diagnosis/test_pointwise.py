"""From which size on a fused kernel pays, and what it is said to save."""

import pickle
from collections.abc import Iterator

import pytest
import torch

from breakeven.cli.fusion_table import sentences, table
from breakeven.diagnosis.pointwise import Pointwise, pays_from
from breakeven.diagnosis.pointwise_call import APART, FUSED, NEW, SAME, PointwiseCall, inputs, is_right
from breakeven.engine.roofline import HardwarePeaks
from breakeven.engine.statistics import Interval


@pytest.fixture(autouse=True)
def settings_of_torch() -> Iterator[None]:
    """What the factory changes in its own process is set back in the tests'."""
    grad, threads = torch.is_grad_enabled(), torch.get_num_threads()
    yield
    torch.set_grad_enabled(grad)
    torch.set_num_threads(threads)


PEAKS = HardwarePeaks({}, {str(2**20): 40e9})


def at(numbers: int, low: float, high: float) -> Pointwise:
    """New tensors gain so much; with the same ones, half the traffic takes half the time."""
    gain = (low + high) / 2
    us = {(APART, NEW): 10.0 * gain, (FUSED, NEW): 10.0, (APART, SAME): 8.0, (FUSED, SAME): 4.0}
    return Pointwise(numbers, us, {NEW: Interval(gain, low, high), SAME: Interval(2.0, 1.6, 2.5)})


@pytest.mark.parametrize(
    ("gains", "pays"),
    [
        ([(0.4, 0.5), (0.9, 1.1), (1.2, 1.4), (1.8, 1.9)], 64),
        ([(1.2, 1.3), (0.9, 1.1), (1.2, 1.4), (1.8, 1.9)], 64),  # a gain that ends again does not count
        ([(1.2, 1.3), (1.1, 1.2), (1.2, 1.4), (1.8, 1.9)], 4),
        ([(1.2, 1.3), (1.1, 1.2), (1.2, 1.4), (0.8, 1.9)], None),
    ],
)
def test_fusion_pays_where_every_larger_size_surely_gains(
    gains: list[tuple[float, float]], pays: int | None
) -> None:
    assert pays_from([at(4 ** (1 + number), *gain) for number, gain in enumerate(gains)]) == pays


def test_traffic_and_allocation_are_told_apart() -> None:
    first, traffic, allocation = sentences([at(2**18, 3.9, 4.1)], PEAKS)
    assert first == "With new tensors in each call, one kernel surely pays from 262,144 numbers on."
    assert "at 1 MiB, with the same tensors in all calls" in traffic
    assert "one kernel saves 50% of the time (38% to 60%)" in traffic and "40.0 GB/s at most" in traffic
    assert "Two kernels move 524.3 GB/s, and one kernel 524.3" in traffic
    assert "add 32 µs to two kernels, and 6 µs to one" in allocation
    assert "is not surely faster" in next(sentences([at(64, 0.5, 0.6)], PEAKS))


def test_the_table_has_both_kinds_of_tensors() -> None:
    shown = table([at(64, 0.5, 0.6), at(2**18, 1.9, 2.1)])
    assert [*shown.columns[2].cells] == [NEW, SAME] * 2


@pytest.mark.parametrize("tensors", [NEW, SAME])
def test_two_kernels_write_new_tensors_or_the_same(tensors: str) -> None:
    call = pickle.loads(pickle.dumps(PointwiseCall(64, APART, tensors)))()
    one, two = call(), call()
    assert (one.data_ptr() == two.data_ptr()) is (tensors == SAME)
    assert is_right(None, one) and not is_right(None, one + 1)


def test_the_compilers_kernel_writes_into_the_tensor_that_it_is_given() -> None:
    """Else the call with the same tensors would allocate, or copy, after all."""
    from torch._inductor.utils import run_and_get_code

    from breakeven.diagnosis import pointwise_call

    torch._dynamo.reset()
    out = torch.empty(4096)
    with torch.no_grad():
        compiled = torch.compile(pointwise_call._into_same)
        _, (code,) = run_and_get_code(compiled, inputs(4096), out)
    body = code[code.index("def call(") : code.index("def get_args")]
    assert body.count("cpp_fused_") == 1 and "empty_strided" not in body
    assert is_right(None, out)
    assert "extern_kernels" not in body
