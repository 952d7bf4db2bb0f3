"""Shared fixtures: a small trained model, and a copy of the project in which real DVC can run."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from breakeven import turns
from breakeven.selftest.models import CNN, write

ROOT = Path(__file__).parent.parent

# Two processes test side by side, on as few as two cores: threads of OpenMP that wait for each other while
# another process has their core make minutes of seconds.
os.environ["OMP_NUM_THREADS"] = "1"

# What tests measure is of no interest: those of one process need not wait for another's.
LOCKS = Path(tempfile.gettempdir()) / f"breakeven-{os.environ.get('PYTEST_XDIST_WORKER', 'tests')}"
LOCKS.mkdir(parents=True, exist_ok=True)
os.environ["TMPDIR"] = str(LOCKS)
turns.LOCK = LOCKS / turns.LOCK.name

# A job in a shell's background ignores Ctrl-C, and so would all that the tests start.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# One small family, few variants, little measuring: every stage runs, in seconds.
TINY = """\
# @package _global_
defaults:
  - /data@datasets.digits: digits
  - /family@families.cnn: cnn
  - override /runtime: [eager, onnxruntime]
  - override /quantization: [onnxruntime_static]
study: tiny
families:
  cnn:
    model: {width: 8, depth: 1}
    train: {epochs: 2, lr: 0.05}
export: {min_agreement: 0.5, calibration_images: 32, builds: 1}
measure: {seconds: 0, seconds_per_variant: 0, min_replicates: 2, rounds: 3, block_ms: 2, settle_ms: 2,
  confidence: 0.9999} # or one twin in twenty would make its run unreliable, by chance alone
"""

# And what the hardware can do at most is probed in less time (tests/test_peaks.py probes as a user does).
PROBED = {
    "SIDES = (512, 1024, 2048)": "SIDES = (128,)",
    "(18, 29)": "(18, 21)",
    "SECONDS = 0.08": "SECONDS = 0.005",
}


class Project:
    """A copy of the project in a git repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Type a command; a failure that was not expected shows what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(**environment), capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def environment(self, **more: str) -> dict[str, str]:
        """As after `source .venv/bin/activate`."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = ("DVC_", "MLFLOW_", "PYTHONUNBUFFERED")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        return {
            **clean,
            "PATH": path,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": "src",
            "DVC_NO_ANALYTICS": "1",
            **more,
        }

    @contextmanager
    def ui(self) -> Iterator[str]:
        """MLflow's UI, as `make ui` serves it, at this address; it may take a while to answer."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            ["breakeven", "ui", "--port", str(port)],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()

    def stages(self, output: str) -> set[str]:
        """The stages that a `dvc repro` really ran, but for the two that always run."""
        ran = {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")}
        return ran - {"fetch", "machine"}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file; the text must be there."""
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def commit(self, message: str = "change") -> None:
        """Commit everything."""
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", message)


def is_over(process: psutil.Process) -> bool:
    """A zombie is: nobody may be there to wait for it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def fetched(address: str) -> bytes:
    """What a server answers, as soon as it does."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"no answer from {address}")


def copy_project(folder: Path) -> Project:
    """The project's files, as they are in the working tree, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("results/", "docs/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    project = Project(folder)
    (folder / "conf/study/tiny.yaml").write_text(TINY)
    for old, new in PROBED.items():
        project.edit("src/breakeven/measure/peaks.py", old, new)
    project.run("git", "init", "-q")
    project.run("breakeven", "compose", "study=tiny")
    project.commit("start")
    return project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take longest begin, so that none of them is left alone at the end.

    After them comes what needs the reproduced study: the other worker would wait for it.
    """
    allowed = {item: item.get_closest_marker("timeout") for item in items}

    def order(item: pytest.Item) -> tuple[float, bool]:
        mark = allowed[item]
        return -mark.args[0] if mark else 0, "reproduced" not in getattr(item, "fixturenames", ())

    items.sort(key=order)


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Project, str]:
    """The tiny study after one `dvc repro`, with what that printed. Copy it before changing it."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent  # one for all of xdist's workers
    folder, printed = base / "reproduced", base / "printed.txt"
    with FileLock(base / "reproduced.lock"):
        if not printed.exists():
            folder.mkdir()
            project = copy_project(folder)
            done = project.run("dvc", "repro")
            project.commit("results")
            printed.write_text(done.stdout + done.stderr)
    return Project(folder), printed.read_text()


@pytest.fixture
def project(reproduced: tuple[Project, str], tmp_path: Path) -> Project:
    """A copy of the reproduced study, to change at will."""
    shutil.copytree(reproduced[0].folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with artifacts of an untrained CNN, by runtime: what it takes to measure."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent  # one for all of xdist's workers
    folder = base / "untrained"
    with FileLock(base / "untrained.lock"):
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
