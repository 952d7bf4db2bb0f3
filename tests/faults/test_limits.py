"""A machine that gives too little: the study says what is missing, and finishes once there is enough."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import Project
from recovery import Trial, copied, sentences
from snapshots import Snapshots

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
MEGABYTE = 2**20


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skip where this user may not mount file systems of a process's own."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("this user may not mount file systems: run the tests as root")


def require_sentence(code: int, printed: str) -> None:
    """The command failed, and its own last word is a sentence."""
    assert code != 0 and "Traceback" not in printed, printed[-3000:]
    assert sentences(printed), printed[-3000:]


def finish(trial: Trial, snapshots: Snapshots) -> None:
    code, printed = trial.run("dvc", "repro")
    assert code == 0, printed
    trial.require_recovered(snapshots.expected)


@pytest.mark.parametrize(
    ("stage", "free_mb"),
    [
        ("prepare@digits", 0.2),
        ("train@cnn", 1),
        ("compress@cnn-prune50", 0.5),
        ("export@cnn", 2),
        ("benchmark@cnn-cpu1", 0.2),
        ("report", 0.2),
    ],
)
def test_a_full_disk_is_told_and_what_was_done_is_kept(
    snapshots: Snapshots, tmp_path: Path, namespaces: None, stage: str, free_mb: float
) -> None:
    trial = Trial(copied(snapshots.before(stage), tmp_path / "trial"), f"full-{free_mb}")
    folder = trial.project.folder
    used = subprocess.run(["du", "-sm", folder], capture_output=True, text=True).stdout.split()[0]
    size = int((float(used) + 2 + free_mb) * MEGABYTE)
    disk, after = tmp_path / "disk", tmp_path / "trial/after"
    disk.mkdir()
    script = f"""
    mount -t tmpfs -o size={size} tmpfs {disk} && cp -a {folder}/. {disk}/ && mount --bind {disk} {folder}
    cd {folder} && dvc repro; code=$?
    cp -a {folder} {after}; exit $code
    """
    code, printed = trial.run("unshare", "-m", "bash", "-c", script)
    if code:
        require_sentence(code, printed)
        assert "pace" in printed, printed[-3000:]  # DVC says "no space left", torch "not enough space"
    shutil.rmtree(folder)
    after.rename(folder)
    finish(trial, snapshots)


def test_a_tiny_shared_memory_is_enough(snapshots: Snapshots, tmp_path: Path, namespaces: None) -> None:
    trial = Trial(copied(snapshots.before("train@cnn"), tmp_path / "trial"), "shm")
    mount = "mount -t tmpfs -o size=64k tmpfs /dev/shm && exec dvc repro"
    code, printed = trial.run("unshare", "-m", "bash", "-c", mount)
    assert code == 0, printed
    trial.require_recovered(snapshots.expected)


READ_ONLY = {  # and the stage that would write there
    ".": "check_params",
    "data": "prepare@digits",
    ".breakeven": "train@cnn",
    "models": "compress@cnn-prune50",
    "artifacts": "quantize@cnn",
    ".dvc/cache": "benchmark@cnn-cpu1",
    "results": "report",
}


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_folder_that_cannot_be_written_to_is_told(
    snapshots: Snapshots, tmp_path: Path, namespaces: None, name: str
) -> None:
    trial = Trial(copied(snapshots.before(READ_ONLY[name]), tmp_path / "trial"), f"readonly-{name}")
    folder = trial.project.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && cd . && exec dvc repro"
    require_sentence(*trial.run("unshare", "-m", "bash", "-c", mount))
    finish(trial, snapshots)


LIMITS = {
    "open files": (resource.RLIMIT_NOFILE, 24),
    "size of a file": (resource.RLIMIT_FSIZE, 20_000),
    "address space": (resource.RLIMIT_AS, 2 * 10**9),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_low_limit_is_told(snapshots: Snapshots, tmp_path: Path, name: str) -> None:
    trial = Trial(copied(snapshots.before("export@cnn"), tmp_path / "trial"), f"limit-{name}")
    kind, most = LIMITS[name]
    limit = f"import os, resource; resource.setrlimit({kind}, ({most}, {most}))"
    require_sentence(*trial.run(sys.executable, "-c", f"{limit}; os.execvp('dvc', ['dvc', 'repro'])"))
    finish(trial, snapshots)


def test_one_processor_is_enough(snapshots: Snapshots, tmp_path: Path) -> None:
    trial = Trial(copied(snapshots.before("check_params"), tmp_path / "trial"), "one-cpu")
    first = min(os.sched_getaffinity(0))
    pinned = f"import os; os.sched_setaffinity(0, [{first}]); os.execvp('dvc', ['dvc', 'repro'])"
    code, printed = trial.run(sys.executable, "-c", pinned)
    assert code == 0, printed
    trial.require_recovered(snapshots.expected)


def test_the_project_of_a_snapshot_is_whole(snapshots: Snapshots) -> None:
    """A limit is not what makes a command fail here."""
    done = Project(snapshots.before("prepare@digits")).run("breakeven", "doctor", check=False)
    assert "Traceback" not in done.stdout + done.stderr
