"""A fused kernel is measured beside two kernels, in the same rounds."""

import pytest

from breakeven.diagnosis.pointwise import WAYS, pointwise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_all_are_measured_in_the_same_rounds() -> None:
    found = pointwise(0.0, (64, 4096))
    assert [each.numbers for each in found] == [64, 4096]
    for each in found:
        assert set(each.us) == {*WAYS} and all(us > 0 for us in each.us.values())
        assert all(gain.low <= gain.value <= gain.high for gain in each.gains.values())
