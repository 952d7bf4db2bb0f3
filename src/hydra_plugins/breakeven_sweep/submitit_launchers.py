"""Launchers for submitit that continue after a lost task.

The launchers of hydra-submitit-launcher end at the first lost task and do not wait for the others. The
launchers here accept the same settings; `conf/hydra/launcher` only replaces their `_target_`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict


class LocalTasks(Launcher):
    """A launcher that runs all jobs at once, each in a separate process on this machine."""

    cluster: ClassVar[str] = "local"

    def __init__(self, submitit_folder: str, **settings: Any) -> None:
        self.submitit_folder = submitit_folder
        self.settings = {
            key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
            for key, value in settings.items()
        }

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store Hydra's context, task and configuration for `launch`."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submit the jobs as one array, wait for all of them, and return their results.

        A lost task has the status FAILED, and its result is a `TaskLost`.
        """
        import submitit
        from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf

        shared = OmegaConf.structured(BaseQueueConf).keys()  # settings that every cluster knows
        timeouts = self.settings.pop("max_num_timeout", None)
        executor = submitit.AutoExecutor(
            folder=self.submitit_folder,
            cluster=self.cluster,
            **({} if timeouts is None else {f"{self.cluster}_max_num_timeout": timeouts}),
        )
        executor.update_parameters(
            **{
                key if key in shared else f"{self.cluster}_{key}": value
                for key, value in self.settings.items()
            }
        )
        numbers = range(initial_job_idx, initial_job_idx + len(job_overrides))
        print(f"What jobs print: {str(self.submitit_folder).replace('%j', '*')}/*_log.out", flush=True)
        states = [Singleton.get_state()] * len(numbers)
        tasks = executor.map_array(self, numbers, list(map(list, job_overrides)), states)
        return [self._wait(task, number) for task, number in zip(tasks, numbers, strict=True)]

    def __call__(self, number: int, overrides: list[str], singletons: dict[Any, Any]) -> JobReturn:
        """Run one job in its task's process."""
        import submitit

        Singleton.set_state(singletons)
        setup_globals()
        config = self.hydra_context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config.hydra.job):
            config.hydra.job.id, config.hydra.job.num = submitit.JobEnvironment().job_id, number
        return run_job(
            hydra_context=self.hydra_context,
            task_function=self.task_function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def checkpoint(self, *arguments: Any) -> Any:
        """Return a new submission of a task that its cluster preempts."""
        import submitit

        return submitit.helpers.DelayedSubmission(self, *arguments)

    def _wait(self, task: Any, number: int) -> JobReturn:
        from submitit.core.utils import FailedJobError, UncompletedJobError

        from breakeven.pipeline.sweep import job_task

        try:
            result: JobReturn = task.result()
        except UncompletedJobError as error:
            result = JobReturn(status=JobStatus.FAILED)
            result.return_value = job_task.TaskLost(reason(error, isinstance(error, FailedJobError)))
        else:
            job_task.print_end(Path(self.config.hydra.sweep.dir), number)
        return result


class SlurmTasks(LocalTasks):
    """A launcher that runs each job as a task of a Slurm cluster."""

    cluster: ClassVar[str] = "slurm"


def reason(error: RuntimeError, raised: bool) -> str:
    """Return submitit's message in one line.

    If the task raised an error, return the last line of its traceback, which submitit prints between rules.
    """
    if raised:
        return re.split("-{8,}", str(error))[1].strip().splitlines()[-1]
    return " ".join(str(error).splitlines()[:2])
