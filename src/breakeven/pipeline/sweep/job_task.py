"""The task that a launcher runs for each job, and the files that a sweep and its jobs exchange."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from breakeven.core.child_process import PARENT_VARIABLE, end_with_parent
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.core.progress import ProgressLine
from breakeven.pipeline.sweep import run_job
from breakeven.pipeline.sweep.plan import Plan
from breakeven.results.sweep_results import FAILED, JobOutcome


class TaskLost(Exception):
    """An error that stands for a job whose task the launcher has lost."""


class NotSubmitted(UserError):
    """An error that says why a cluster refused the jobs."""


def settings_file(folder: Path, number: int) -> Path:
    """Return the path of a job's settings."""
    return folder / f"settings-{number}.json"


def outcome_file(folder: Path, number: int) -> Path:
    """Return the path of a job's outcome, which exists once the job has ended."""
    return folder / f"outcome-{number}.json"


def run_task(config: DictConfig, bar: ProgressLine | None = None) -> None:
    """Run one job and write its outcome. A failure does not stop the other jobs.

    Args:
        config: required by Hydra; the job's settings are in the sweep's folder.
        bar: to be moved, of a sweep whose jobs run in its process.
    """
    # Processes of joblib's launcher would go on after the sweep ended. This ends them with their parent.
    if str(os.getppid()) == os.environ.get(PARENT_VARIABLE):
        end_with_parent()
    context = HydraConfig.get()
    folder, overrides = Path(context.sweep.dir), list(context.overrides.task)
    plan = Plan.read(folder)
    number = plan.launched[context.job.num]
    title = plan.title(number)
    print(f"{title}: {' '.join(overrides)}", flush=True)
    if bar:
        bar.move(number, title, plan.left(outcomes(folder)), now=True)
    # If jobs run side by side, each printed line starts with the number of its job.
    margin = "  " if plan.at_once == 1 else f"  {number + 1}: "
    composed = read_json(settings_file(folder, number))
    outcome = run_job.run(composed["settings"], composed["choice"], overrides, margin)
    write_json(outcome_file(folder, number), asdict(outcome))
    if bar:
        bar.move(number + 1, title, plan.left(outcomes(folder)), now=True)
    print_outcome(plan, number, outcome, folder)


def print_end(folder: Path, launched: int, why: str = "") -> None:
    """Print how a job ended that ran in another process and printed to a log.

    Args:
        folder: of the sweep.
        launched: the place of the job among those that were launched.
        why: the reason if its task was lost.
    """
    plan = Plan.read(folder)
    number = plan.launched[launched]
    if (path := outcome_file(folder, number)).exists():
        print_outcome(plan, number, JobOutcome(**read_json(path)), folder)
    elif why:
        print(f"{plan.title(number)}: {FAILED}, {why}", flush=True)


def print_outcome(plan: Plan, number: int, outcome: JobOutcome, folder: Path) -> None:
    """Print how a job ended, and the progress of the sweep."""
    reason = f", {outcome.reason.rstrip('.')}" if outcome.reason else ""
    far = plan.far(outcomes(folder))
    print(f"{plan.title(number)}: {outcome.status}{reason}, {outcome.seconds:.0f} s{far}", flush=True)


def outcomes(folder: Path) -> list[JobOutcome]:
    """Return the outcomes of the jobs that have ended, in the jobs' order."""
    files = sorted(folder.glob("outcome-*.json"), key=lambda path: int(path.stem.partition("-")[2]))
    return [JobOutcome(**read_json(path)) for path in files]


def failed(overrides: Sequence[str], reason: str) -> JobOutcome:
    """Return the outcome of a job that failed before its key was known."""
    return JobOutcome(" ".join(overrides) or "a job", list(overrides), FAILED, fingerprint(overrides), reason)
