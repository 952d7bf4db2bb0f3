"""What could be gained at most, beside what was gained."""

import pytest
from rows import BASELINE, TWIN, row
from time_profiles import profile

from breakeven.diagnosis.bounds import bounds
from breakeven.results.gains import FUSION, INT8, PRUNING, WHAT, Gain, fastest, gains
from breakeven.results.result_row import ResultRow
from breakeven.results.time_profile import ProfileRecord


def found(*rows: ResultRow) -> dict[str, Gain]:
    """The gains of a call that spends three quarters in convolutions, by their words."""
    one = profile(Conv=75.0, Relu=5.0)
    record = ProfileRecord("cnn", "cpu1", 1, one, bounds(one))
    return {gain.what: gain for gain in gains(record, [BASELINE, TWIN, *rows])}


def test_each_bound_is_told_with_what_it_expects() -> None:
    gain = found()[WHAT[INT8]]
    assert gain.at_most == pytest.approx(4.0)
    assert gain.expectation == ", 2.29x if it runs them 4 times as fast"
    assert gain.outcome == "not measured in this study"
    assert found()[WHAT[FUSION]].outcome == "measured only together with other changes"


def test_int8_is_held_against_fp32_in_the_same_runtime() -> None:
    rows = [row("none/fp32/r", speedup=3.0), row("none/int8-static/r", speedup=6.0)]
    told = found(*rows, row("none/int8-dynamic/r", speedup=1.0))[WHAT[INT8]].outcome
    assert told.startswith("eager has no int8; in a runtime that has, 2.00x was measured")
    assert "`breakeven why none/fp32/r none/int8-static/r --family cnn --hardware cpu1`" in told


@pytest.mark.parametrize(
    ("speedup", "told"),
    [
        (1.5, "measured 1.50x (none/fp32/eager → prune50/fp32/eager): the layers that are left bind"),
        (3.8, "measured 3.80x (none/fp32/eager → prune50/fp32/eager): the rest of the call binds"),
    ],
)
def test_pruning_is_held_against_the_baseline(speedup: float, told: str) -> None:
    rows = [row("prune50/fp32/eager", speedup=speedup), row("prune50/fp32/r", speedup=9.0)]
    assert found(*rows)[WHAT[PRUNING]].outcome == told


def test_the_fastest_is_named_only_if_something_is_faster() -> None:
    assert fastest([BASELINE]) is None
    best = row("none/fp32/r", speedup=3.0)
    assert fastest([BASELINE, best, row("none/fp32/s", speedup=0.5)]) is best


def test_rows_of_other_places_do_not_count() -> None:
    elsewhere = row("prune50/fp32/eager", speedup=1.5, hardware="cpu2")
    larger = row("prune50/fp32/eager", speedup=1.5, batch_size=32)
    assert found(elsewhere, larger)[WHAT[PRUNING]].outcome == "not measured in this study"
