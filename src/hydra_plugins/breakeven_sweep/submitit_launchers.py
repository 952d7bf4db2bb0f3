"""Launchers for submitit that continue after a lost task, and leave no task behind.

The launchers of hydra-submitit-launcher end at the first lost task and do not wait for the others. The
launchers here accept the same settings; `conf/hydra/launcher` only replaces their `_target_`.
"""

import contextlib
import io
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

POLL_S = 1.0  # between two looks for results
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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

        A lost task has the status FAILED, and its result is a `TaskLost`. If the sweep ends early, all tasks
        that have not ended are cancelled.

        Raises:
            NotSubmitted: the cluster refused the jobs.
        """
        numbers = range(initial_job_idx, initial_job_idx + len(job_overrides))
        executor = self._executor()
        tasks: list[Any] = []
        try:
            with uninterrupted():  # otherwise a submitted job could stay unknown
                tasks = self._submit(executor, numbers, job_overrides)
            print(self._submitted(tasks), flush=True)
            print(f"What jobs print: {str(self.submitit_folder).replace('%j', '*')}/*_log.out", flush=True)
            return self._results(tasks, numbers)
        except BaseException:
            with uninterrupted():
                self._cancel([task for task in tasks if not _has_result(task)])
            raise

    def _executor(self) -> Any:
        import submitit
        from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf

        shared = OmegaConf.structured(BaseQueueConf).keys()  # settings that every cluster knows
        settings = self._settings()
        timeouts = settings.pop("max_num_timeout", None)
        executor = submitit.AutoExecutor(
            folder=self.submitit_folder,
            cluster=self.cluster,
            **({} if timeouts is None else {f"{self.cluster}_max_num_timeout": timeouts}),
        )
        executor.update_parameters(
            **{key if key in shared else f"{self.cluster}_{key}": value for key, value in settings.items()}
        )
        return executor

    def _settings(self) -> dict[str, Any]:
        """Return the settings for submitit."""
        return dict(self.settings)

    def _submit(self, executor: Any, numbers: range, job_overrides: Sequence[Sequence[str]]) -> list[Any]:
        states = [Singleton.get_state()] * len(numbers)
        return list(executor.map_array(self, numbers, list(map(list, job_overrides)), states))

    def _submitted(self, tasks: Sequence[Any]) -> str:
        return f"{len(tasks)} processes were started, one for each job."

    def __call__(self, number: int, overrides: list[str], singletons: dict[Any, Any]) -> JobReturn:
        """Run one job in its task's process."""
        import submitit

        end_when_told()
        self._end_with_sweep()
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

    def _end_with_sweep(self) -> None:
        """End this task's process when the sweep's process ends, even if it was killed."""
        from breakeven.core.child_process import PARENT_VARIABLE

        if not hasattr(os, "pidfd_open"):  # only Linux has it
            return
        try:
            sweep = os.pidfd_open(int(os.environ[PARENT_VARIABLE]))
        except ProcessLookupError:  # it has ended already
            os.kill(os.getpid(), signal.SIGTERM)
            return

        def watch() -> None:
            select.select([sweep], [], [])
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=watch, name="sweep", daemon=True).start()

    def _results(self, tasks: Sequence[Any], numbers: range) -> list[JobReturn]:
        """Wait for all tasks, and return what became of each, in their order."""
        began = time.monotonic()
        left = dict(zip(numbers, tasks, strict=True))
        results: dict[int, JobReturn] = {}
        while left:
            for number, task in [*left.items()]:
                if _has_result(task):
                    results[number] = self._result(task, number)
                    del left[number]
            for number, why in self._lost(left, time.monotonic() - began).items():
                task = left.pop(number)
                if _has_result(task):  # it has come since
                    results[number] = self._result(task, number)
                else:
                    results[number] = lost(why, task)
                    self._print_end(number, why)
            if left:
                time.sleep(POLL_S)
        return [results[number] for number in numbers]

    def _lost(self, tasks: dict[int, Any], elapsed_s: float) -> dict[int, str]:
        """Return the numbers of the tasks that have ended without a result, each with the reason."""
        from breakeven.pipeline.sweep.slurm_words import TIME_LIMIT

        minutes = self.settings.get("timeout_min", 0)
        is_late = elapsed_s >= 60 * minutes
        why = TIME_LIMIT.format(minutes=minutes) if is_late else "its task ended without a result"
        return {number: why for number, task in tasks.items() if task.done() and not _has_result(task)}

    def _result(self, task: Any, number: int) -> JobReturn:
        """Return the result of a task that has one."""
        from submitit.core.utils import FailedJobError

        try:
            result: JobReturn = task.result()
        except FailedJobError as error:
            return lost(reason(error), task)
        self._print_end(number)
        return result

    def _print_end(self, number: int, why: str = "") -> None:
        from breakeven.pipeline.sweep import job_task

        job_task.print_end(Path(self.config.hydra.sweep.dir), number, why)

    def _cancel(self, tasks: Sequence[Any]) -> None:
        """End the tasks that have not ended."""
        for task in tasks:
            task.cancel()


class SlurmTasks(LocalTasks):
    """A launcher that runs each job as a task of a Slurm cluster."""

    cluster: ClassVar[str] = "slurm"

    def __init__(self, submitit_folder: str, **settings: Any) -> None:
        super().__init__(submitit_folder, **settings)
        self._queue: Any = None

    def _settings(self) -> dict[str, Any]:
        # A task that Slurm put back into its queue would run on after the sweep has told of its end. The same
        # command, given again, goes on where a lost task was.
        given = self.settings.get("additional_parameters") or {}
        return {**self.settings, "additional_parameters": {"no-requeue": True, **given}}

    def _submit(self, executor: Any, numbers: range, job_overrides: Sequence[Sequence[str]]) -> list[Any]:
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        from breakeven.pipeline.sweep import job_task, slurm_words

        try:
            with contextlib.redirect_stderr(io.StringIO()):  # submitit prints what it raises as well
                return super()._submit(executor, numbers, job_overrides)
        except (FailedJobError, FailedSubmissionError) as error:
            raise job_task.NotSubmitted(f"{slurm_words.refusal(str(error))}.") from None

    def _submitted(self, tasks: Sequence[Any]) -> str:
        from breakeven.pipeline.sweep.slurm_queue import cancelling

        command = cancelling([task.job_id for task in tasks])
        jobs = "1 job is" if len(tasks) == 1 else f"{len(tasks)} jobs are"
        return (
            f"{jobs} in the cluster's queue, each for at most {self.settings['timeout_min']} "
            f"minutes. Ctrl-C cancels them; `{command}` does if this process is killed."
        )

    def _end_with_sweep(self) -> None:
        """Do nothing: the sweep's process runs on another machine."""

    def _lost(self, tasks: dict[int, Any], elapsed_s: float) -> dict[int, str]:
        from breakeven.pipeline.sweep.slurm_queue import SlurmQueue

        if self._queue is None:
            self._queue = SlurmQueue(self.settings["timeout_min"])
        ended = self._queue.ended([task.job_id for task in tasks.values()])
        return {number: ended[task.job_id] for number, task in tasks.items() if task.job_id in ended}

    def _cancel(self, tasks: Sequence[Any]) -> None:
        from breakeven.pipeline.sweep import slurm_queue

        if not tasks:
            return
        ids = [task.job_id for task in tasks]
        if slurm_queue.cancel(ids):
            words = f"cancelled in the cluster's queue: {len(ids)} of the sweep's jobs."
        else:
            command = slurm_queue.cancelling(ids)
            words = f"still in the cluster's queue: {len(ids)} of the sweep's jobs; `{command}` cancels them."
        print(words, file=sys.stderr, flush=True)


def end_when_told() -> None:
    """End this process at SIGTERM without an outcome, and let nothing put it back into the queue.

    submitit ignores SIGTERM, and requeues a task at the signal that precedes its time limit. A task that was
    told to end should write no outcome, because the sweep knows better why it ended.
    """
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGCONT, signal.SIG_DFL)
    signal.signal(getattr(signal, f"SIG{os.environ.get('SUBMITIT_PREEMPT_SIGNAL', 'USR2')}"), signal.SIG_IGN)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off Ctrl-C and the signals that end this process until the block ends."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDING}
    ours = {number for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in ours:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
        if came:
            os.kill(os.getpid(), came[0])


def _has_result(task: Any) -> bool:
    folder = task.paths.folder
    with contextlib.suppress(OSError):  # network file systems look anew at a folder that was touched
        folder.chmod(folder.stat().st_mode)
    return bool(task.paths.result_pickle.exists())


def lost(why: str, task: Any) -> JobReturn:
    """Return the result of a task that has none: FAILED, with the reason and the last line of its log."""
    from breakeven.core.secrets import redact
    from breakeven.pipeline.sweep import job_task

    log = task.paths.stderr
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    words = (
        f"; its last words: {redact(lines[-1].strip())[:300]}" if lines and "without a result" in why else ""
    )
    result = JobReturn(status=JobStatus.FAILED)
    result.return_value = job_task.TaskLost(why + words)
    return result


def reason(error: RuntimeError) -> str:
    """Return the last line of the traceback of what a task raised; submitit prints it between rules."""
    return re.split("-{8,}", str(error))[1].strip().splitlines()[-1]
