"""A command that waits says which process it waits for, and since when that runs."""

import fcntl
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from breakeven.core import cache, lock_holders, machine_lock, paths
from breakeven.core.cache import CacheKey

pytestmark = pytest.mark.skipif(not lock_holders.LOCKS.exists(), reason="this system lists no locks")


def waits(path: Path, wait: object, capsys: pytest.CaptureFixture[str]) -> str:
    """Let another process hold the lock of a file, and return what this one prints while it waits."""
    script = (
        f"import fcntl, sys; f = open({str(path)!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdin
        holder.stdout.readline()
        timer = threading.Timer(1, holder.communicate, ["\n"])
        timer.start()
        wait()  # type: ignore[operator]
        timer.join()
    said = capsys.readouterr().err
    assert f"process {holder.pid} since 2" in said and "import fcntl" in said
    return said


def test_who_waits_for_the_machine_says_for_which_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine_lock, "LOCK_FILE", tmp_path / "lock")
    (tmp_path / "lock").touch()

    def wait() -> None:
        with machine_lock.shared():
            pass

    said = waits(tmp_path / "lock", wait, capsys)
    assert re.match(
        r"waiting until .* measured, held by process \d+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", said
    )


def test_who_waits_for_an_entry_of_the_cache_says_for_which_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "private", lambda: tmp_path)
    key = CacheKey("model", {"a": 1})
    with cache.exclusive(key, "a title"):
        pass

    def wait() -> None:
        with cache.exclusive(key, "a title"):
            pass

    said = waits(tmp_path / "locks" / f"model-{key.digest}", wait, capsys)
    assert said.startswith("waiting: a title: another process is making it, held by process")


def test_nobody_is_named_of_a_lock_that_nobody_holds(tmp_path: Path) -> None:
    free, other = tmp_path / "free", tmp_path / "other"
    free.touch()
    with FileLock(other):
        assert lock_holders.held_by(free) == lock_holders.held_by(tmp_path / "missing") == ""
        assert f"process {os.getpid()}" in lock_holders.held_by(other)
    with other.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert f"process {os.getpid()}" in lock_holders.held_by(other)
