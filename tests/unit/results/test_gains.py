"""What could be gained at most, beside what was gained."""

import pytest
from rows import BASELINE, TWIN, row
from time_profiles import profile

from breakeven.diagnosis.bounds import bounds
from breakeven.results.gains import FUSION, INT8, PRUNING, WHAT, Gain, gains
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
    assert gain.expectation == ", or 2.29x if they take 25% of their time"
    assert gain.outcome == "not measured in this study"
    assert found()[WHAT[FUSION]].outcome == "no variant does this alone"


@pytest.mark.parametrize(
    ("speedup", "told"),
    [
        (6.0, "measured 2.00x (none/int8-static/r over none/fp32/r): these parts did not get as fast as"),
        (11.4, "measured 3.80x (none/int8-static/r over none/fp32/r): the rest of the call binds"),
        (15.0, "measured 5.00x (none/int8-static/r over none/fp32/r): beyond eager's bound"),
    ],
)
def test_int8_is_held_against_fp32_in_the_same_runtime(speedup: float, told: str) -> None:
    rows = [row("none/fp32/r", speedup=3.0), row("none/int8-static/r", speedup=speedup)]
    slower = row("none/int8-dynamic/r", speedup=1.0)
    assert found(*rows, slower)[WHAT[INT8]].outcome.startswith(told)


def test_pruning_is_held_against_the_baseline() -> None:
    rows = [row("prune50/fp32/eager", speedup=1.5), row("prune50/fp32/r", speedup=9.0)]
    assert found(*rows)[WHAT[PRUNING]].outcome.startswith("measured 1.50x (prune50/fp32/eager over ")


def test_rows_of_other_places_do_not_count() -> None:
    elsewhere = row("prune50/fp32/eager", speedup=1.5, hardware="cpu2")
    larger = row("prune50/fp32/eager", speedup=1.5, batch_size=32)
    assert found(elsewhere, larger)[WHAT[PRUNING]].outcome == "not measured in this study"
