"""A process that waits for the machine says which process holds it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from breakeven.core import machine_lock

HOLD = """
import sys
from pathlib import Path
from breakeven.core import machine_lock

machine_lock.LOCK = Path(sys.argv[1])
with machine_lock.exclusive():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_who_waits_is_told_who_holds_the_lock_and_since_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock"
    monkeypatch.setattr(machine_lock, "LOCK", lock)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        env={**os.environ, "PYTHONPATH": str(Path(machine_lock.__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin and holder.stdout and holder.stdout.readline() == "held\n"
        with lock.open() as file:
            said = machine_lock._holders(file)
        holder.stdin.close()
    assert f"process {holder.pid}, which runs since " in said and "from breakeven.core import" in said
    with lock.open() as file:
        assert machine_lock._holders(file) == ""
