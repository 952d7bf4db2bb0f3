"""The text of a run's progress never claims more than the whole."""

import pytest

from breakeven.engine.settings import RunProgress


@pytest.mark.parametrize(
    ("spent_s", "text"),
    [
        (30.0, "replicate 5, 30 of 51 s, widest interval ±2.0%"),
        (51.0, "replicate 5, 51 of 51 s, widest interval ±2.0%"),
        (105.0, "replicate 5, 105 s, more than planned, widest interval ±2.0%"),
    ],
)
def test_a_run_that_takes_longer_than_planned_says_so(spent_s: float, text: str) -> None:
    assert str(RunProgress(5, spent_s, 51.0, 0.0, 0.02)) == text
