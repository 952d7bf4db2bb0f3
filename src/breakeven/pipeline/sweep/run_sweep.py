"""The run of a sweep: it composes the jobs, launches them, and records how each ended."""

import contextlib
import functools
import io
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from breakeven.core.child_process import PARENT_VARIABLE
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.core.progress import shown
from breakeven.core.system_info import cores
from breakeven.pipeline.sweep import job_task, run_job
from breakeven.pipeline.sweep.composer import ComposedJobs, compose_jobs
from breakeven.pipeline.sweep.job_overrides import expand_all
from breakeven.pipeline.sweep.plan import Plan, is_basic, jobs_at_once
from breakeven.pipeline.sweep.record import RunningSweep, write_record


def run_sweep(
    master: DictConfig,
    context: HydraContext,
    task: TaskFunction,
    overrides: Sequence[str],
) -> bool:
    """Run the sweep.

    Args:
        master: its configuration.
        task: runs one job.
        overrides: those of the command line.

    Returns:
        Whether every job is done, with nothing to be measured again.

    Raises:
        UserError: no job can be composed, or the launcher failed.
    """
    hydra = master.hydra
    every = expand_all(hydra.sweeper, overrides, context.config_loader)
    folder = Path(hydra.sweep.dir)
    recommend: Any = OmegaConf.to_container(master.recommend, resolve=True)
    sweep = RunningSweep(str(master.study), folder, every, recommend, master.growing_runtime)
    for number in range(len(every)):  # of an earlier sweep, if the user chose its folder
        job_task.outcome_file(folder, number).unlink(missing_ok=True)
    refused = compose_jobs(context.config_loader, master, every, folder)
    plan = Plan(len(every), jobs_at_once(hydra), [n for n in range(len(every)) if n not in refused])
    plan.write(folder)
    for number, reason in refused.items():
        outcome = job_task.failed(every[number], reason)
        write_json(job_task.outcome_file(folder, number), asdict(outcome))
        job_task.print_outcome(plan, number, outcome, folder)
    _share_cores(hydra, plan)
    os.environ[PARENT_VARIABLE] = str(os.getpid())
    lost: dict[int, str] = {}
    with ExitStack() as screen:
        if is_basic(hydra):  # with other launchers, jobs would print into the bar
            bar = screen.enter_context(shown("sweep", len(every)))
            task = functools.partial(job_task.run_task, bar=bar)
        launched = HydraContext(
            config_loader=ComposedJobs(context.config_loader), callbacks=context.callbacks
        )
        try:
            launcher = Plugins.instance().instantiate_launcher(launched, task, master)
            size = hydra.sweeper.max_batch_size or len(every)
            for first in range(0, len(plan.launched), size):
                numbers = plan.launched[first : first + size]
                lost |= _lost(numbers, launcher.launch([every[n] for n in numbers], initial_job_idx=first))
        except job_task.NotSubmitted as error:
            screen.close()
            if first:  # earlier jobs were submitted
                write_record(sweep, str(error), lost)
            raise
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            screen.close()
            begun = sweep.has_begun
            if begun:
                write_record(sweep, f"it had not ended when the sweep did ({run_job.words(error)})", lost)
            if isinstance(error, RuntimeError):  # joblib and submitit raise this class
                what = "the sweep ended early" if begun else "the launcher does not start"
                raise UserError(f"{what}: {error}") from error
            raise
    return write_record(sweep, "its process ended without a word", lost)


def _share_cores(hydra: DictConfig, plan: Plan) -> None:
    """Limit the threads of jobs that run at once, so that together they do not exceed the cores."""
    share = hydra.launcher.get("cpus_per_task") or max(1, cores() // (plan.at_once or 1))
    if share < cores():
        os.environ.setdefault("OMP_NUM_THREADS", str(share))


def _lost(numbers: Sequence[int], results: Iterable[JobReturn]) -> dict[int, str]:
    """Return number -> reason, for the jobs that the launcher lost or whose task raised an error."""
    reasons = {}
    for number, result in zip(numbers, results, strict=True):
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # Hydra prints it as well
                _ = result.return_value  # raises what the task raised
        except job_task.TaskLost as error:
            reasons[number] = str(error)
        except Exception as error:
            reasons[number] = run_job.words(error)
    return reasons
