"""The writer of a sweep's record: how each job ended, even if the sweep itself ended early."""

import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from breakeven.core.files import write_json
from breakeven.pipeline.sweep import job_study, job_task
from breakeven.pipeline.sweep.job_overrides import as_typed
from breakeven.results import sweep_analysis, sweep_answer, sweep_results
from breakeven.results.limits import Limits
from breakeven.tracking import sweep_runs


@dataclass(frozen=True)
class RunningSweep:
    """A sweep that is running and has no record yet."""

    study: str
    folder: Path
    jobs: list[list[str]]  # the overrides of each
    recommend: dict[str, Any]  # the limits of the recommendations
    growing_runtime: str | None = None  # the study asks whether its speedup grows with the model

    @property
    def has_begun(self) -> bool:
        """Return whether any job was started or submitted. Launchers make a folder for each such job."""
        return any(path.is_dir() for path in self.folder.glob("*"))


def write_record(sweep: RunningSweep, reason: str, lost: Mapping[int, str] | None = None) -> bool:
    """Write the record of all jobs of a sweep, and log it to MLflow.

    Args:
        reason: why a job failed that has left no outcome,
        lost: or why by its number, where it is known.

    Returns:
        Whether every job is done, with nothing to be measured again.
    """
    for number, overrides in enumerate(sweep.jobs):
        if not (path := job_task.outcome_file(sweep.folder, number)).exists():
            outcome = job_task.failed(overrides, (lost or {}).get(number, reason))
            with suppress(Exception):  # with the job's own key, a later complete run replaces this record
                outcome = replace(outcome, key=job_study.key_of(job_study.composed_study(overrides)).digest)
            write_json(path, asdict(outcome))
    outcomes = job_task.outcomes(sweep.folder)
    command = shlex.join(["breakeven-sweep", *(as_typed(word) for word in sys.argv[1:] if word != "-m")])
    written = sweep_results.write_sweep(
        sweep.study, command, outcomes, sweep.recommend, sweep.growing_runtime
    )
    count = Counter(outcome.status for outcome in outcomes)
    print(f"{written.name}: {', '.join(f'{number} {status}' for status, number in count.items())}")
    with_reason = [outcome for outcome in outcomes if outcome.reason]
    for outcome in with_reason:
        print(f"  {outcome.title}: {outcome.reason}")
    sweep_runs.log(written)
    for sentence in sweep_answer.sentences(sweep_analysis.collect(written, Limits())):
        print(sentence)
    print(
        f"All tables: `breakeven analyse PAGE.md --sweep {written.name}`. "
        "results/report.html has the charts after the next `dvc repro`."
    )
    return not with_reason
