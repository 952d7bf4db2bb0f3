"""From which size on a fused kernel pays, and what it is said to save."""

import pytest

from breakeven.cli.fusion_table import sentences
from breakeven.diagnosis.pointwise import APART, FUSED, Pointwise, pays_from
from breakeven.engine.roofline import HardwarePeaks
from breakeven.engine.statistics import Interval

PEAKS = HardwarePeaks({}, {str(2**20): 40e9})


def at(numbers: int, low: float, high: float) -> Pointwise:
    gain = (low + high) / 2
    return Pointwise(numbers, {APART: 10.0 * gain, FUSED: 10.0}, Interval(gain, low, high))


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


def test_the_traffic_is_told_beside_what_the_core_can_move() -> None:
    first, second = sentences([at(2**18, 1.9, 2.1)], PEAKS)
    assert first == "One kernel surely pays from 262,144 numbers on."
    assert "At 1 MiB, it saves 50% of the time" in second and "40.0 GB/s at most" in second
    assert "two kernels move 209.7 GB/s, and one kernel 209.7" in second  # half the traffic in half the time
    assert next(sentences([at(64, 0.5, 0.6)], PEAKS)).startswith("One kernel is not surely faster")
