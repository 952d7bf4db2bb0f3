"""What follows of the throughput of several callers."""

from pathlib import Path

import pytest

from breakeven.core.errors import UserError
from breakeven.engine.settings import ALONE, Arrangement
from breakeven.engine.statistics import FASTER, SAME, UNDECIDED
from breakeven.results import callers
from breakeven.results.callers import SHARE, UNKNOWN, WAIT, CallersRecord, CallersRow

THREADS, PROCESSES = Arrangement(1, 2, False), Arrangement(1, 2, True)


def row(threads: list[float], processes: list[float]) -> CallersRow:
    alone = [100.0, 101.0, 99.0]
    return CallersRow("none/fp32/eager", [(ALONE, alone), (THREADS, threads), (PROCESSES, processes)])


@pytest.mark.parametrize(
    ("threads", "processes", "found"),
    [
        ([198.0, 200.0, 199.0], [199.0, 201.0, 200.0], SHARE),
        ([101.0, 103.0, 102.0], [199.0, 201.0, 200.0], WAIT),
        ([101.0, 300.0, 150.0], [199.0, 100.0, 300.0], UNKNOWN),
    ],
)
def test_threads_share_or_wait(threads: list[float], processes: list[float], found: str) -> None:
    assert row(threads, processes).sharing(2) == found


def test_a_gain_is_within_replicates() -> None:
    """A replicate in a slow minute changes nothing, if all of it was slow."""
    slow = row([200.0, 101.0, 198.0], [200.0, 101.0, 198.0])
    slow.per_s[0] = (ALONE, [100.0, 50.5, 99.0])
    gain = slow.gain(THREADS)
    assert gain.value == pytest.approx(2) and gain.low == pytest.approx(2) and gain.high == pytest.approx(2)
    assert slow.verdict(THREADS) == FASTER and slow.verdict(THREADS, PROCESSES) == SAME
    assert row([50.0, 200.0, 100.0], [1.0, 1.0, 1.0]).verdict(THREADS) == UNDECIDED


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    broken = CallersRow("none/fp32/other", reason="one caller, 2 threads a call: it crashed")
    record = CallersRecord("cnn", "a machine", 2, [row([1.0, 2.0], [3.0, 4.0]), broken])
    record.write(tmp_path / "callers.json")
    assert callers.read(tmp_path / "callers.json") == record
    assert [each.variant for each in record.measured] == ["none/fp32/eager"]


def test_a_record_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "callers.json").write_text('{"family": "cnn", "rows": [{"variant": 1}]}')
    with pytest.raises(UserError, match="another version of Breakeven: run `dvc repro`"):
        callers.read(tmp_path / "callers.json")
