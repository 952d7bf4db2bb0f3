"""What a finished study holds, whatever happened on the way, and what a fault may not leave behind."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from mlflow import MlflowClient
from mlflow.entities import ViewType
from project import Project, is_over

from breakeven.core.files import SCRATCH_PREFIX, UNFINISHED_SUFFIX

MARK = "BREAKEVEN_TEST_FAULT"  # in the environment of all processes of one trial
ENDS_S = 15.0  # after which no process of an ended command may be left
MODEL_FIGURES = ("val_score", "sha256", "parameters")


@dataclass(frozen=True)
class Finished:
    """What a repetition of the study has to give again: all but times, and what follows from them."""

    models: dict[str, dict[str, Any]]  # folder -> accuracies and the digest of the weights
    rows: dict[str, tuple[str, ...]]  # variant -> accuracy, agreement, and whether it was timed
    runs: dict[str, int]  # name of a run in MLflow -> how many have finished


def finished(project: Project) -> Finished:
    """Return what a finished study holds."""
    folder = project.folder
    models = {}
    for path in sorted(folder.glob("models/*/*/model.json")):
        card = json.loads(path.read_text())
        models[f"{path.parent.relative_to(folder)}"] = {name: card[name] for name in MODEL_FIGURES}
    with (folder / "results/summary.csv").open(encoding="utf-8") as file:
        rows = {
            row["variant"]: (row["accuracy"], row["agreement"], timed(row)) for row in csv.DictReader(file)
        }
    return Finished(models, rows, Counter(run.info.run_name for run in runs(project) if is_finished(run)))


def timed(row: dict[str, str]) -> str:
    """Whether a row of the summary holds a time, and otherwise its verdict."""
    return "timed" if row["latency_ms_p50"] else f"{row['verdict']}: {row['reason']}"


def runs(project: Project) -> list[Any]:
    """Return all runs in MLflow that nobody deleted."""
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    experiments = [each.experiment_id for each in client.search_experiments()]
    return [*client.search_runs(experiments, run_view_type=ViewType.ACTIVE_ONLY, max_results=1000)]


def is_finished(run: Any) -> bool:
    """Return whether a run ended as it should."""
    return bool(run.info.status == "FINISHED")


def difference(found: Finished, expected: Finished) -> str:
    """Return each entry that is another one than expected."""
    lines = []
    for part in ("models", "rows", "runs"):
        ours, theirs = getattr(found, part), getattr(expected, part)
        for name in sorted({*ours, *theirs}):
            if ours.get(name) != theirs.get(name):
                lines.append(f"{part}, {name}: {ours.get(name)}, not {theirs.get(name)}")
    return "\n".join(lines)


class Trial:
    """One fault in a project of its own: its processes carry a mark, and it has its own temporary folder."""

    def __init__(self, project: Project, name: str) -> None:
        self.project, self.name = project, name
        self.scratch = project.folder.parent / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.log = project.folder.parent / "log.txt"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of its commands."""
        return self.project.environment(**{MARK: self.name, "TMPDIR": str(self.scratch)})

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command as the leader of a process group; what it prints goes to the log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.project.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *command: str, timeout_s: float = 1000) -> tuple[int, str]:
        """Run a command to its end, and return its exit code and what it printed."""
        before = self.log.stat().st_size if self.log.exists() else 0
        process = self.start(*command)
        try:
            code = process.wait(timeout_s)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return code, self.log.read_bytes()[before:].decode(errors="replace")

    def processes(self) -> list[psutil.Process]:
        """Return the processes of this trial that still run."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.name and not is_over(process):
                    found.append(process)
        return found

    def require_no_orphan(self) -> None:
        """Wait until no process of the trial is left, for some seconds at most."""
        deadline = time.monotonic() + ENDS_S
        while left := self.processes():
            assert time.monotonic() < deadline, [process.cmdline() for process in left]
            time.sleep(0.1)

    def require_clean(self) -> None:
        """Nothing is left that a killed process was about to write, and no log has a traceback."""
        inside = self.project.folder
        left = [*inside.rglob(f".*{UNFINISHED_SUFFIX}"), *self.scratch.glob(f"{SCRATCH_PREFIX}*")]
        assert not [path for path in left if ".dvc" not in path.parts], left
        printed = self.log.read_text(errors="replace")
        assert "Traceback" not in printed, printed[-4000:]

    def require_recovered(self, expected: Finished, measured: int = 1) -> None:
        """The study is complete and equal, MLflow holds each run once, and nothing is left behind.

        Args:
            measured: how often the study was finished; MLflow holds one run of each row for each time.
        """
        self.require_no_orphan()
        found = finished(self.project)
        assert (found.models, found.rows) == (expected.models, expected.rows), difference(found, expected)
        assert found.runs.keys() == expected.runs.keys(), difference(found, expected)
        assert all(count <= measured for count in found.runs.values()), difference(found, expected)
        assert [run.info.run_name for run in runs(self.project) if run.info.status == "RUNNING"] == []
        code, printed = self.run("dvc", "status")
        assert code == 0 and "fetch" in printed and printed.count("changed") <= 2, printed
        self.require_clean()


def sentences(printed: str) -> list[str]:
    """Return the lines in which Breakeven or DVC says why a command failed."""
    told = ("breakeven: ", "ERROR: ")
    lines = printed.splitlines()
    return [line for line in lines if line.startswith(told) or line == "'./dvc.lock' is invalid."]


def copied(source: Path, target: Path) -> Project:
    """Return a copy of a project, in a folder that holds nothing else."""
    target.mkdir(parents=True)
    shutil.copytree(source, target / "project", symlinks=True)
    return Project(target / "project")
