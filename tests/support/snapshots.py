"""The smallest study, finished once, with a copy of it before each of its stages."""

import shutil
import time
from pathlib import Path

from project import Project, copy_project
from recovery import Finished, finished

# In the order of `dvc repro`
STAGES = (
    "check_params",
    "fetch",
    "prepare@digits",
    "train@cnn",
    "compress@cnn-prune50",
    "export@cnn",
    "quantize@cnn",
    "benchmark@cnn-cpu1",
    "report",
)


class Snapshots:
    """Copies of one study before each of its stages, and after the last."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def before(self, stage: str) -> Path:
        """Return the folder of the project before `stage`; "done" for the finished one."""
        return self.base / stage

    def make(self) -> None:
        """Run the study stage by stage, and note how long each takes."""
        work = self.base / "work"
        work.mkdir()
        project = copy_project(work)
        for stage in STAGES:
            shutil.copytree(work, self.before(stage), symlinks=True)
            began = time.monotonic()
            project.run("dvc", "repro", "-s", stage)
            (self.base / f"{stage}.seconds").write_text(str(time.monotonic() - began))
        shutil.copytree(work, self.before("done"), symlinks=True)

    def seconds(self, stage: str) -> float:
        """Return how long a stage takes, with the start of DVC."""
        return float((self.base / f"{stage}.seconds").read_text())

    @property
    def expected(self) -> Finished:
        """Return what the study holds at its end."""
        return finished(Project(self.before("done")))
