"""The plan of a sweep: the number of jobs, how many run at once, and the time left."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from breakeven.core.estimate import Estimate
from breakeven.core.files import read_json, write_json
from breakeven.core.system_info import cores
from breakeven.results.sweep_results import CACHED, DONE, JobOutcome

PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class Plan:
    """The plan of a sweep. It is a file in the sweep's folder, so that jobs on other machines can read it."""

    total: int
    at_once: int | None  # None: the launcher decides
    launched: list[int] = field(default_factory=list)  # numbers of the jobs that could be composed

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Read the plan in the sweep's folder."""
        values: dict[str, Any] = read_json(folder / PLAN_FILE)
        return cls(**values)

    def write(self, folder: Path) -> None:
        """Write the plan into the sweep's folder."""
        write_json(folder / PLAN_FILE, asdict(self))

    def title(self, number: int) -> str:
        """Return the title of the job with this number, which counts from 0."""
        return f"job {number + 1} of {self.total}"

    def left(self, ended: Sequence[JobOutcome]) -> str:
        """Return the time left in words, estimated from the finished jobs; empty if unknown."""
        if not self.at_once:
            return ""
        estimate = Estimate(self.total, self.at_once)
        for outcome in ended:
            if outcome.status in (DONE, CACHED):
                estimate.finish(outcome.seconds if outcome.status == DONE else None)
            else:  # a failed job does not show how long the others take
                estimate.done += 1
        return estimate.left()

    def far(self, ended: Sequence[JobOutcome]) -> str:
        """Return the progress of the sweep, to append to the line on the end of a job."""
        # If jobs run one after another, the job's number already says how many have ended.
        count = f"{len(ended)} of {self.total} ended" if self.at_once != 1 else ""
        return "".join(f", {part}" for part in (count, self.left(ended)) if part)


def is_basic(hydra: DictConfig) -> bool:
    """Return whether jobs run one after another in this process."""
    return str(hydra.launcher._target_).endswith(".BasicLauncher")


def jobs_at_once(hydra: DictConfig) -> int | None:
    """Return how many jobs run at once; None if the launcher decides."""
    at_once: int | None = 1 if is_basic(hydra) else hydra.launcher.get("n_jobs")
    return cores() if at_once and at_once < 0 else at_once  # joblib: a negative number means all cores
