"""A fused kernel is measured beside two kernels, in the same rounds."""

import pytest

from breakeven.diagnosis.pointwise import APART, FUSED, pointwise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_both_are_measured_in_the_same_rounds() -> None:
    (found,) = pointwise(0.0, (64,))
    assert set(found.us) == {APART, FUSED} and all(us > 0 for us in found.us.values())
    assert found.gain.low <= found.gain.value <= found.gain.high
