"""A study is killed at a random moment, and the same command finishes it."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from project import Project
from recovery import Finished, Trial, copied, finished
from snapshots import STAGES, Snapshots

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
KILLS, SEED = 60, 20261128
VICTIMS = ("the group", "the leader", "one worker")


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_study_is_finished_by_the_same_command(
    snapshots: Snapshots, tmp_path: Path, number: int
) -> None:
    draw = random.Random(SEED + number)
    stage = draw.choices(STAGES, [snapshots.seconds(each) for each in STAGES])[0]
    moment = draw.uniform(0, snapshots.seconds(stage))
    victim = VICTIMS[number % len(VICTIMS)]
    trial = Trial(copied(snapshots.before(stage), tmp_path / "trial"), f"kill-{number}")
    process = trial.start("dvc", "repro")
    time.sleep(moment)
    kill(process, victim, draw)
    if victim == "one worker":  # the others may go on, and the row of the one that was killed says so
        process.wait(400)
    else:
        process.wait(10)
        trial.require_no_orphan()
    code, printed = trial.run("dvc", "repro")
    assert code == 0, printed
    if failed := killed_rows(finished(trial.project), snapshots.expected):
        assert victim == "one worker", failed
        for name in ("export", "quantize", "benchmark"):  # what failed is built and timed again
            stages = [each for each in STAGES if each.startswith(name)]
            code, printed = trial.run("dvc", "repro", "-s", "-f", *stages)
            assert code == 0, printed
        trial.run("dvc", "repro")
    trial.require_recovered(snapshots.expected)


def kill(process: subprocess.Popen[bytes], victim: str, draw: random.Random) -> None:
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
