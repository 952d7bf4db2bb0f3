"""What a sweep makes of the answers of Slurm's programs (tests/slow/test_slurm.py has the real ones)."""

import os
from pathlib import Path

import pytest

from breakeven.core.errors import UserError
from breakeven.pipeline.sweep import slurm_queue, slurm_words
from breakeven.pipeline.sweep.slurm_queue import SlurmQueue


class Fake:
    """Programs that answer what a test says, and note what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.answer, self.cancelled = folder / "answer", folder / "cancelled"
        self.say()
        self.write(folder / "squeue", f'cat "{self.answer}"; exit "$(cat "{self.answer}.code")"')
        self.write(folder / "scancel", f'echo "$@" >> "{self.cancelled}"; exit "$(cat "{self.answer}.code")"')

    def write(self, path: Path, script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def say(self, *lines: str, code: int = 0) -> None:
        self.answer.write_text("".join(f"{line}\n" for line in lines))
        self.answer.with_name("answer.code").write_text(str(code))


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(slurm_queue, "ASKED_EVERY_S", 0.0)
    return Fake(tmp_path)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("CANCELLED", "somebody cancelled it in the cluster's queue"),
        (
            "TIMEOUT",
            "the time limit of 60 minutes was reached: hydra.launcher.timeout_min=MINUTES gives more",
        ),
        ("NODE_FAIL", "its node went down"),
        ("OUT_OF_MEMORY", "hydra.launcher.mem_gb=GB asks for more"),
        ("PREEMPTED", "the cluster gave its node to a job of higher priority"),
        ("FAILED", "its task ended without a result"),
        ("COMPLETED", "its task ended without a result"),
    ],
)
def test_a_task_that_is_over_is_lost_at_the_second_answer(slurm: Fake, state: str, said: str) -> None:
    slurm.say("1_0|RUNNING|None", f"1_1|{state}|None", "9|RUNNING|None")
    queue = SlurmQueue(60)
    assert queue.ended(["1_0", "1_1"]) == {}  # its result may be on the way
    (lost,) = queue.ended(["1_0", "1_1"]).items()
    assert lost[0] == "1_1" and said in lost[1]


def test_a_task_that_left_the_queue_is_lost_but_not_if_it_comes_back(slurm: Fake) -> None:
    queue = SlurmQueue(60)
    assert queue.ended(["1"]) == {}
    slurm.say("1|COMPLETING|None")
    assert queue.ended(["1"]) == {}
    slurm.say()
    assert queue.ended(["1"]) == {}
    assert queue.ended(["1"]) == {"1": "it left the cluster's queue without a result: cancelled, or lost"}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("PartitionTimeLimit", "hydra.launcher.timeout_min=60: give fewer minutes"),
        ("AssocMaxWallDurationPerJobLimit", "hydra.launcher.timeout_min=60: give fewer minutes"),
        ("QOSMaxWallDurationPerJobLimit", "hydra.launcher.timeout_min=60: give fewer minutes"),
        ("QOSMaxCpuPerJobLimit", "more than your account or quality of service allows"),
        ("PartitionNodeLimit", "choose another hydra.launcher.partition"),
        ("PartitionConfig", "choose another hydra.launcher.partition"),
        ("BadConstraints", "hydra.launcher.constraint"),
        ("InvalidAccount", "hydra.launcher.account"),
        ("AccountNotAllowed", "hydra.launcher.account"),
        ("InvalidQOS", "hydra.launcher.qos"),
        ("DependencyNeverSatisfied", "has failed"),
        ("launch failed requeued held", "could not launch it"),
    ],
)
def test_a_task_that_never_starts_is_cancelled_and_told(slurm: Fake, reason: str, said: str) -> None:
    slurm.say(f"7_0|PENDING|{reason}", "7_1|RUNNING|None")
    queue = SlurmQueue(60)
    assert queue.ended(["7_0", "7_1"]) == {}
    (lost,) = queue.ended(["7_0", "7_1"]).items()
    assert lost[0] == "7_0" and said in lost[1] and lost[1].endswith(f"({reason})")
    assert slurm.cancelled.read_text() == "7_0\n"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Priority", "others are before it"),
        ("Resources", "no node is free"),
        ("QOSMaxCpuPerUserLimit", "others of your account use what it may have at once"),
        ("AssocGrpCpuLimit", "others of your account use what it may have at once"),
        ("JobArrayTaskLimit", "array_parallelism"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_why_tasks_wait_is_said_once(
    slurm: Fake, reason: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slurm.say(f"7_0|PENDING|{reason}", f"7_1|PENDING|{reason}")
    queue = SlurmQueue(60)
    for _ in range(4):
        assert queue.ended(["7_0", "7_1"]) == {}
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("2 jobs wait in the cluster's queue: ") and said in line


@pytest.mark.parametrize(
    "reason",
    [
        *("JobHeldUser", "JobHeldAdmin", "PartitionDown", "ReqNodeNotAvail"),
        *("Nodes required for job are DOWN", "SUSPENDED", "STOPPED", "SPECIAL_EXIT", "REQUEUE_HOLD"),
    ],
)
def test_what_waits_for_a_person_is_given_up_after_the_time_that_the_job_might_take(
    slurm: Fake, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(slurm_queue.time, "monotonic", lambda: now)
    slurm.say(f"7|{reason}|None" if reason.isupper() else f"7|PENDING|{reason}")
    queue = SlurmQueue(60)
    for now in (1001.0, 1000.0 + 3500):  # noqa: B007
        assert queue.ended(["7"]) == {}
    for now in (1000.0 + 3700, 1000.0 + 3710):  # noqa: B007
        lost = queue.ended(["7"])
    assert "the cluster does not start it" in lost["7"] and slurm.cancelled.exists()


def test_a_cluster_that_does_not_answer_is_said_once_and_given_up_after_an_hour(
    slurm: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slurm.say(code=1)
    queue = SlurmQueue(60)
    for _ in range(3):
        assert queue.ended(["7_0", "7_1"]) == {}
    assert capsys.readouterr().out.count("the cluster does not answer `squeue`") == 1
    monkeypatch.setattr(slurm_queue, "SILENCE_S", -1.0)
    with pytest.raises(UserError, match="`scancel 7` ends the jobs"):
        queue.ended(["7_0", "7_1"])


def test_who_does_not_have_the_programs_gets_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert slurm_queue._ask() is None and not slurm_queue.cancel(["1"])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "sbatch: error: invalid partition specified: x\n"
            "sbatch: error: Batch job submission failed: Invalid partition name specified",
            "the cluster refused the jobs: Invalid partition name specified: `sinfo` lists the partitions: "
            "hydra.launcher.partition=NAME",
        ),
        (
            "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or "
            "exceeds some limit)",
            "hydra.launcher.timeout_min=MINUTES",
        ),
        ("sbatch: error: Batch job submission failed: Invalid account or account/partition", "account=NAME"),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller", "`scontrol ping`"),
        ("", "it gave no reason"),
    ],
)
def test_a_refusal_is_a_sentence(message: str, said: str) -> None:
    assert said in slurm_words.refusal(message)
