"""Sweeps on a real Slurm: none waits for ever, each end is told in plain words, and no job is left behind.

The cluster has one node, this machine. It runs as root, from Debian's packages slurm-wlm and munge, and with
accounting from slurmdbd and mariadb-server.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import LITTLE, Project, copy_project
from slurm_cluster import Cluster, cluster, missing, wait_for

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]
ONE_RUNTIME = LITTLE.replace("[eager, onnxruntime]", "[eager]").replace("epochs: 2", "epochs: 1")
# A job that runs until somebody ends it
SLOW_NET = """\
import time
from breakeven.plugins.models.cnn import cnn

def slow(in_channels, num_classes, **arguments):
    print("it builds", flush=True)
    time.sleep(900)
    return cnn(in_channels, num_classes)
"""
RUNNING: list["subprocess.Popen[bytes]"] = []  # sweeps that a test has started
SLOW = ("family.model={_target_:slow_net.slow}", "hydra.launcher.cpus_per_task=1")


@pytest.fixture(scope="module", params=[False, True], ids=["without accounting", "with accounting"])
def slurm(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if absent := missing(request.param):
        pytest.skip(f"not installed: {', '.join(absent)}")
    if os.getuid():
        pytest.skip("a Slurm daemon runs as root")
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    with cluster(folder / "c", request.param) as started:
        yield started
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = copy_project(tmp_path_factory.mktemp("slurm"))
    (made.folder / "conf/study/little.yaml").write_text(ONE_RUNTIME)
    (made.folder / "slow_net.py").write_text(SLOW_NET)
    return made


class Sweeping:
    """A sweep that goes on while the test does."""

    def __init__(self, project: Project, slurm: Cluster, *overrides: str) -> None:
        self.project = project
        self.words = project.folder / "said.txt"
        self.records = project.folder / ".breakeven/sweeps"
        shutil.rmtree(self.records, ignore_errors=True)
        command = [sys.executable, "-u", "-m", "breakeven.pipeline.sweep.main", "study=little"]
        options = ["hydra/launcher=slurm", "hydra.launcher.partition=main", *overrides]
        with self.words.open("w") as words:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=project.folder,
                env=project.environment(SLURM_CONF=slurm.environment["SLURM_CONF"], TMPDIR=str(slurm.folder)),
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        RUNNING.append(self.process)

    def said(self) -> str:
        return self.words.read_text()

    def says(self, words: str, seconds: float = 300) -> None:
        """Wait until it has printed something like this."""
        deadline = time.monotonic() + seconds
        while not re.search(words, self.said()):
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.3)

    def reasons(self, code: int = 1, seconds: float = 400) -> list[str]:
        """Why its jobs failed, once it has ended with this exit code."""
        assert self.process.wait(seconds) == code, self.said()
        (record,) = self.records.glob("*.json")
        assert "Traceback" not in self.said() and "sacct" not in self.said()
        return [job["reason"] for job in json.loads(record.read_text())["jobs"]]


@pytest.fixture(autouse=True)
def emptied(slurm: Cluster) -> Iterator[None]:
    """No test leaves a sweep or a job to the next."""
    yield
    for process in RUNNING:
        process.kill()
        process.wait()
    RUNNING.clear()
    slurm.run("scancel", "--user=root")
    wait_for(lambda: not slurm.queue())


@pytest.fixture
def busy(slurm: Cluster) -> Iterator[None]:
    """All of the cluster is taken by another job."""
    taken = slurm.run("sbatch", "--parsable", "--exclusive", "--output=/dev/null", "--wrap=sleep 900").strip()
    wait_for(lambda: slurm.queue().get(taken) == "RUNNING")
    yield


def test_a_sweep_runs_and_says_nothing_of_accounting(slurm: Cluster, project: Project) -> None:
    sweeping = Sweeping(project, slurm, "family.model.width=4,5")
    assert sweeping.reasons(0, 1200) == ["", ""]
    assert "2 jobs are in the cluster's queue, each for at most 1440 minutes" in sweeping.said()
    assert not slurm.queue()


def test_a_pending_job_that_is_cancelled_ends_the_wait(slurm: Cluster, project: Project, busy: None) -> None:
    sweeping = Sweeping(project, slurm, *SLOW)
    sweeping.says(r"1 job waits in the cluster's queue: no node is free \(Resources\)")
    (waiting,) = (task for task, state in slurm.queue().items() if state == "PENDING")
    slurm.run("scancel", waiting)
    assert sweeping.reasons() == ["somebody cancelled it in the cluster's queue"]


def test_one_cancelled_task_of_an_array_costs_that_job_alone(
    slurm: Cluster, project: Project, busy: None
) -> None:
    sweeping = Sweeping(project, slurm, *SLOW, "seed=1,2")
    sweeping.says("2 jobs wait in the cluster's queue")
    job = re.search(r"`scancel (\d+)`", sweeping.said())
    assert job
    slurm.run("scancel", f"{job[1]}_0")
    sweeping.says("job 1 of 2: failed, it left the cluster's queue without a result: cancelled, or lost")
    assert slurm.queue()[f"{job[1]}_1"] == "PENDING"
    sweeping.process.send_signal(signal.SIGINT)
    assert sweeping.process.wait(60) == 130


def test_a_time_limit_that_the_partition_does_not_allow_is_told(slurm: Cluster, project: Project) -> None:
    sweeping = Sweeping(project, slurm, *SLOW, "hydra.launcher.partition=brief", "seed=1,2")
    reasons = sweeping.reasons()
    assert len(reasons) == 2
    for reason in reasons:
        assert "the partition allows less time than hydra.launcher.timeout_min=1440" in reason
    wait_for(lambda: not slurm.queue())


def test_who_holds_a_job_is_told_how_to_let_it_go(slurm: Cluster, project: Project, busy: None) -> None:
    sweeping = Sweeping(project, slurm, *SLOW)
    sweeping.says("1 job waits")
    (waiting,) = (task for task, state in slurm.queue().items() if state == "PENDING")
    slurm.run("scontrol", "hold", waiting)
    sweeping.says(f"holds it: `scontrol release {waiting}` lets it go")
    sweeping.process.send_signal(signal.SIGINT)
    assert sweeping.process.wait(60) == 130


def test_a_node_that_goes_down_fails_its_job_and_nothing_runs_unwatched(
    slurm: Cluster, project: Project
) -> None:
    sweeping = Sweeping(project, slurm, *SLOW)
    wait_for(lambda: "RUNNING" in slurm.queue().values())
    with slurm.node_down():
        assert sweeping.reasons() == ["its node went down"]
        assert not slurm.queue()
    time.sleep(5)
    assert not slurm.queue()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_ends_a_sweep_ends_its_jobs(slurm: Cluster, project: Project, number: signal.Signals) -> None:
    sweeping = Sweeping(project, slurm, *SLOW, "seed=1,2")
    wait_for(lambda: sorted(slurm.queue().values()) == ["PENDING", "RUNNING"])
    os.killpg(sweeping.process.pid, number)
    assert sweeping.process.wait(60) == 128 + number
    assert "cancelled in the cluster's queue: 2 of the sweep's jobs." in sweeping.said()
    assert "Traceback" not in sweeping.said()
    wait_for(lambda: not slurm.queue())


def test_a_killed_sweep_has_said_what_ends_its_jobs(slurm: Cluster, project: Project) -> None:
    sweeping = Sweeping(project, slurm, *SLOW)
    wait_for(lambda: "RUNNING" in slurm.queue().values())
    sweeping.process.kill()
    sweeping.process.wait()
    command = re.search(r"`(scancel \d+)` does if this process is killed", sweeping.said())
    assert command
    slurm.run(*command[1].split())
    wait_for(lambda: not slurm.queue())


def test_a_running_job_that_is_cancelled_is_told_as_such(slurm: Cluster, project: Project) -> None:
    sweeping = Sweeping(project, slurm, *SLOW)
    wait_for(lambda: "RUNNING" in slurm.queue().values())
    time.sleep(20)  # it runs by now
    slurm.run("scancel", *slurm.queue())
    assert sweeping.reasons() == ["somebody cancelled it in the cluster's queue"]


def test_a_job_that_reaches_its_time_limit_is_told_as_such(slurm: Cluster, project: Project) -> None:
    sweeping = Sweeping(project, slurm, *SLOW, "hydra.launcher.timeout_min=1")
    (reason,) = sweeping.reasons(seconds=240)
    assert reason == "the time limit of 1 minutes was reached: hydra.launcher.timeout_min=MINUTES gives more"
    logs = [path.read_text() for path in (project.folder / ".breakeven/hydra").rglob("*_log.*")]
    # It had prepared the data, and was building the model, in a process that prints when it ends.
    assert any("digits: " in log for log in logs)
    newest = max((project.folder / ".breakeven/hydra").iterdir(), key=lambda path: path.stat().st_mtime)
    assert "Traceback" not in "".join(path.read_text() for path in newest.rglob("*_log.*"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("hydra.launcher.partition=nosuch", "hydra.launcher.partition=NAME"),
        ("hydra.launcher.account=nosuch", "hydra.launcher.account=NAME"),
    ],
)
def test_a_refused_submission_is_a_sentence_and_no_sweep(
    slurm: Cluster, project: Project, wrong: str, said: str
) -> None:
    if "account" in wrong and not slurm.accounting:
        pytest.skip("without accounting, Slurm knows no accounts")
    sweeping = Sweeping(project, slurm, wrong, "seed=1,2")
    assert sweeping.process.wait(120) == 1
    last = sweeping.said().strip().splitlines()[-1]
    assert last.startswith("breakeven: the cluster refused the jobs: ") and said in last
    assert "Traceback" not in sweeping.said() and sweeping.said().count("Batch job") == 0
    assert not [*sweeping.records.glob("*.json")] and not slurm.queue()
