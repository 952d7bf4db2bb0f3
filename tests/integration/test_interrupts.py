"""However a run is ended, none of its workers outlives it, be it busy or stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fakes
import psutil
import pytest
from project import is_over

pytestmark = pytest.mark.timeout(300)
# One replicate that never ends, of three workers, two of which are stopped at any time.
SCRIPT = """
import signal, sys
from pathlib import Path
import fakes
from breakeven.engine.measure import measure_artifacts
from breakeven.engine.settings import Budget
from breakeven.pipeline.stages._main import run

def work(kind):
    variants = {name: Path(name) for name in ("base", "other")}
    measure_artifacts(variants, fakes.CPU1, Budget(rounds=10**7, block_ms=1, settle_ms=1), fakes.IMAGES)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & would ignore it
run(work) if sys.argv[1] == "stage" else work("script")
"""


def wait_until(true: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def measuring(folder: Path, kind: str) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A process that measures, once it times blocks, with all its descendants."""
    for name in ("base", "other"):
        fakes.write(folder / name, "faulty")
    (folder / "scratch").mkdir()
    path = os.pathsep.join([str(Path(fakes.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, kind],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder / "scratch")},
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:

        def workers() -> list[psutil.Process]:
            return [
                worker for server in psutil.Process(parent.pid).children() for worker in server.children()
            ]

        def is_timing() -> bool:
            assert parent.poll() is None, parent.communicate()[1]
            try:
                stopped = [worker.status() == psutil.STATUS_STOPPED for worker in workers()]
            except psutil.NoSuchProcess:
                return False
            return (len(stopped), sum(stopped)) == (3, 2)

        try:
            wait_until(is_timing)
            yield parent, psutil.Process(parent.pid).children(recursive=True)
        finally:
            parent.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_run_and_every_worker(tmp_path: Path, number: signal.Signals) -> None:
    with measuring(tmp_path, "script") as (parent, family):
        assert len(family) >= 5  # a server for the baseline and one for the twin, and three workers
        parent.send_signal(number)
        assert parent.wait(30) != 0
        wait_until(lambda: all(map(is_over, family)), 10)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_stage_with_its_code_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with measuring(tmp_path, "stage") as (parent, family):
        parent.send_signal(number)
        assert parent.wait(30) == code
        wait_until(lambda: all(map(is_over, family)), 10)
        assert parent.stderr and "Traceback" not in parent.stderr.read()
    assert list((tmp_path / "scratch").iterdir()) == []
