"""Shared fixtures: a small trained model, and a copy of the project in which real DVC can run."""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from project import ROOT, Project, copy_project

from breakeven.core import machine_lock
from breakeven.engine.selftest.models import CNN, write

# Two processes test side by side, on as few as two cores: threads of OpenMP that wait for each other while
# another process has their core make minutes of seconds.
os.environ["OMP_NUM_THREADS"] = "1"

# A search for examples may take any time: the machines that run it are busy.
settings.register_profile("breakeven", deadline=None)
settings.load_profile("breakeven")

# What tests measure is of no interest: those of one process need not wait for another's.
LOCKS = Path(tempfile.gettempdir()) / f"breakeven-{os.environ.get('PYTEST_XDIST_WORKER', 'tests')}"
LOCKS.mkdir(parents=True, exist_ok=True)
os.environ["TMPDIR"] = str(LOCKS)
machine_lock.LOCK_FILE = LOCKS / machine_lock.LOCK_FILE.name

# Notes which source files stages open (tests/integration/test_source.py)
AUDIT = ROOT / "tests/support/audit"

# A job in a shell's background ignores Ctrl-C, and so would all that the tests start.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take longest begin, so that none of them is left alone at the end.

    After them comes what needs the reproduced study: the other worker would wait for it.
    """
    allowed = {item: item.get_closest_marker("timeout") for item in items}

    def order(item: pytest.Item) -> tuple[float, bool]:
        mark = allowed[item]
        return -mark.args[0] if mark else 0, "reproduced" not in getattr(item, "fixturenames", ())

    items.sort(key=order)


@pytest.fixture(autouse=True)
def denormal_numbers_are_kept() -> Iterator[None]:
    """Undo what a runtime sets that a test starts in this process; hypothesis needs denormal numbers."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One temporary folder for all of xdist's workers."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def reproduced(common_folder: Path) -> tuple[Project, str]:
    """The tiny study after one `dvc repro`, with what that printed. Copy it before changing it."""
    folder, printed = common_folder / "reproduced", common_folder / "printed.txt"
    with FileLock(common_folder / "reproduced.lock"):
        if not printed.exists():
            folder.mkdir()
            project = copy_project(folder)
            audited = {"PYTHONPATH": f"src:{AUDIT}", "BREAKEVEN_TEST_OPENED": str(common_folder / "opened")}
            done = project.run("dvc", "repro", check=True, **audited)
            project.commit("results")
            printed.write_text(done.stdout + done.stderr)
    return Project(folder), printed.read_text()


@pytest.fixture
def project(reproduced: tuple[Project, str], tmp_path: Path) -> Project:
    """A copy of the reproduced study, to change at will."""
    shutil.copytree(reproduced[0].folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def untrained(common_folder: Path) -> Path:
    """A folder with artifacts of an untrained CNN, by runtime: what it takes to measure."""
    folder = common_folder / "untrained"
    with FileLock(common_folder / "untrained.lock"):
        for runtime in ("eager", "onnxruntime"):
            if not (folder / runtime).exists():
                write(CNN, runtime, folder / runtime)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real datasets."""
    for folder in (os.environ.get("BREAKEVEN_DATA"), ROOT.parent / "shared/datasets"):
        if folder and (Path(folder) / "FashionMNIST").is_dir():
            return Path(folder)
    pytest.skip("the real datasets are not there: set BREAKEVEN_DATA to their folder")
