"""A copy of the project in which real DVC, Hydra and MLflow can run, as a user would type the commands."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path

import psutil

from breakeven.core import paths

ROOT = Path(__file__).parents[2]
SUPPORT = Path(__file__).parent

# The least that can be measured. With the usual confidence, one twin in twenty would make its run unreliable,
# by chance alone.
BRIEF = """\
measure: {seconds: 0, seconds_per_variant: 0, min_replicates: 2, rounds: 3, block_ms: 2, settle_ms: 2,
  confidence: 0.9999}
profile: false
"""

# One small family, few variants, little measuring: every stage runs, in seconds.
TINY = (
    """\
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
"""
    + BRIEF
)

# A sweep with little of everything: one runtime beside the baseline, two epochs, blocks of two milliseconds.
LITTLE = (
    """\
# @package _global_
defaults:
  - override /runtime: [eager, onnxruntime]
study: little
family:
  model: {depth: 1}
  train: {epochs: 2, lr: 0.05}
export: {min_agreement: 0.3, builds: 1}
"""
    + BRIEF
)

# And what the hardware can do at most is probed in less time (test_roofline.py probes as a user does).
PROBED = {
    "MATRIX_SIDES = (512, 1024, 2048)": "MATRIX_SIDES = (128,)",
    "(18, 29)": "(18, 21)",
    "TRIAL_SECONDS = 0.08": "TRIAL_SECONDS = 0.005",
}


class Project:
    """A copy of the project in a git repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self) -> dict[str, dict[str, str]]:
        """Return the rows of a study of one family, by variant."""
        with (self.folder / "results/summary.csv").open() as file:
            return {row["variant"]: row for row in csv.DictReader(file)}

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Type a command; a failure that was not expected shows what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(**environment), capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this process work in it, for a command that need not be a process of its own."""
        path = sys.path.copy()
        with chdir(self.folder):
            paths.home.cache_clear()
            try:
                yield
            finally:
                paths.home.cache_clear()
                sys.path[:] = path

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
        """The stages that a `dvc repro` really ran, except the one that always runs."""
        ran = {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")}
        return ran - {"fetch"}

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


def copy_files(folder: Path, without: tuple[str, ...] = ()) -> None:
    """Copy the project's files, as they are in the working tree, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not (without and name.startswith(without)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def project_with(folder: Path, files: Mapping[str, str]) -> "Project":
    """Return a copy of the project in a new folder, with more files in it: path -> text."""
    folder.mkdir()
    project = copy_project(folder)
    for name, text in files.items():
        (folder / name).write_text(text)
    return project


def copy_project(folder: Path) -> Project:
    """Return a copy of the project with the tiny study as its params, and no results."""
    copy_files(folder, without=("results/", "docs/", "dvc.lock"))
    project = Project(folder)
    (folder / "conf/study/tiny.yaml").write_text(TINY)
    for old, new in PROBED.items():
        project.edit("src/breakeven/engine/roofline.py", old, new)
    project.run("git", "init", "-q")
    project.run("breakeven", "compose", "study=tiny")
    project.commit("start")
    return project
