"""A study is killed at random moments, again and again, and the same command finishes it."""

import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from project import Project
from recovery import Finished, Trial, copied, finished
from snapshots import STAGES, Snapshots

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
STUDIES, KILLS, SEED = 10, 6, 20261128  # 60 kills, each in another stage of its study
VICTIMS = ("the group", "the leader", "one worker")
PATIENCE_S = 300.0  # until a stage has begun, or a command has ended


@dataclass(frozen=True)
class Kill:
    """Who is killed, and when."""

    stage: str
    moment: float  # seconds after the stage has begun
    victim: str


def drawn(number: int, seconds: dict[str, float]) -> list[Kill]:
    """Return the kills of one study, in the order of its stages; a long stage is drawn more often."""
    draw = random.Random(SEED + number)
    left, stages = list(STAGES), set[str]()
    while len(stages) < KILLS:
        stages.add(draw.choices(left, [seconds[each] for each in left])[0])
    ordered = sorted(stages, key=STAGES.index)
    return [
        Kill(stage, draw.uniform(0, seconds[stage]), VICTIMS[(number + each) % len(VICTIMS)])
        for each, stage in enumerate(ordered)
    ]


@pytest.mark.parametrize("number", range(STUDIES))
def test_a_study_that_is_killed_six_times_is_finished_by_the_same_command(
    snapshots: Snapshots, tmp_path: Path, number: int
) -> None:
    draw = random.Random(SEED - number)
    trial = Trial(copied(snapshots.before("check_params"), tmp_path / "trial"), f"kills-{number}")
    process = trial.start("dvc", "repro")
    for kill in drawn(number, {stage: snapshots.seconds(stage) for stage in STAGES}):
        process = until(trial, kill.stage, process)
        time.sleep(kill.moment)
        strike(process, kill.victim, draw)
        if kill.victim != "one worker":
            process.wait(10)
            trial.require_no_orphan()
        # the others of a worker that was killed may go on: its row says so at the end
    process.wait(PATIENCE_S)
    code, printed = trial.run("dvc", "repro")
    assert code == 0, printed
    expected, measured = snapshots.expected, 1
    while killed_rows(finished(trial.project), expected):  # two of the kills hit one worker each
        measured += 1
        assert measured <= 3, "the same command tries again what failed"
        code, printed = trial.run("dvc", "repro")
        assert code == 0, printed
    trial.require_recovered(expected, measured)


def until(trial: Trial, stage: str, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Wait until the stage has begun, in this command or, if this one has ended, in the same one again."""
    deadline = time.monotonic() + PATIENCE_S
    while f"Running stage '{stage}'" not in trial.log.read_text(errors="replace"):
        assert time.monotonic() < deadline, trial.log.read_text(errors="replace")[-3000:]
        if process.poll() is not None:
            process = trial.start("dvc", "repro")
        time.sleep(0.05)
    return process


def strike(process: subprocess.Popen[bytes], victim: str, draw: random.Random) -> None:
    """Send SIGKILL to the group of a command, to the command alone, or to one process below it."""
    if process.poll() is not None:
        return
    if victim == "the group":
        os.killpg(process.pid, signal.SIGKILL)
    elif victim == "the leader":
        process.kill()
    elif below := psutil.Process(process.pid).children(recursive=True):
        draw.choice(sorted(below, key=lambda each: each.pid)).kill()


def killed_rows(found: Finished, expected: Finished) -> dict[str, tuple[str, ...]]:
    """Return the rows that say that they failed, where those of the undisturbed study have not."""
    return {
        name: row
        for name, row in found.rows.items()
        if row[-1].startswith("failed") and not expected.rows[name][-1].startswith("failed")
    }


def test_the_expected_study_has_timed_every_row(snapshots: Snapshots) -> None:
    """What the others are compared with is no study of failures."""
    expected = finished(Project(snapshots.before("done")))
    assert {row[-1] for row in expected.rows.values()} == {"timed"} and len(expected.rows) >= 7
    assert expected.models and set(expected.runs.values()) == {1}
