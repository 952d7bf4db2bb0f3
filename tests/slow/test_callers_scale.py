"""Threads of a runtime that releases the interpreter's lock scale, and those of another one wait."""

import os
from pathlib import Path

import fakes
import numpy as np
import pytest

from breakeven.engine.callers import throughputs
from breakeven.engine.settings import Arrangement
from breakeven.results.callers import SHARE, WAIT, CallersRow
from breakeven.serving.capacity.callers import arrangements

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize(("holds", "found"), [(False, SHARE), (True, WAIT)])
def test_threads_share_or_wait_as_the_runtime_lets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: bool, found: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two callers need two cores")
    folder = fakes.write(tmp_path / "artifact", "locking", holds=holds)
    np.save(tmp_path / "images.npy", fakes.IMAGES)
    few = [each for each in arrangements(2) if each.callers <= 2 and each.threads == 1]
    per_s = throughputs(folder, tmp_path / "images.npy", few, cores=2, replicates=3, rounds=4)
    row = CallersRow("fake", [*per_s.items()])
    assert row.sharing(2) == found, per_s
    assert row.gain(Arrangement(1, 2, True)).value > 1.4, per_s
