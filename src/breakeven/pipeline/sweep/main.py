"""The command `breakeven-sweep`: one job for each combination of choices, by Hydra."""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.utils import _run_hydra, get_args_parser  # Hydra is pinned to one minor version
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from breakeven.config import compose
from breakeven.core import paths
from breakeven.core.child_process import PARENT, end_with_parent
from breakeven.core.errors import UserError
from breakeven.core.files import fingerprint, read_json, write_json
from breakeven.core.progress import ProgressLine, shown
from breakeven.core.system_info import cores
from breakeven.pipeline.sweep import jobs, submitit
from breakeven.pipeline.sweep.composer import NAME, REFUSED, Composer
from breakeven.pipeline.sweep.plan import Plan, asked_for, is_basic, planned
from breakeven.results import sweep_results
from breakeven.results.sweep_results import FAILED, JobOutcome
from breakeven.tracking import sweep_runs

OUTCOME = "outcome.json"
INTERRUPTED = 130


@dataclass(frozen=True)
class RunningSweep:
    """A sweep that has no record yet."""

    study: str
    folder: Path
    jobs: list[list[str]]  # the overrides of each, as far as they are known before
    recommend: dict[str, Any]  # within what limits

    @property
    def has_worked(self) -> bool:
        """Whether a job was begun, or given to a cluster: it has a folder."""
        return any(path.is_dir() for path in self.folder.glob("*"))


begun: list[RunningSweep] = []  # in this process
finished: list[int] = []  # exit codes of the others
screen = ExitStack()  # what it shows, until it ends
bars: list[ProgressLine] = []  # of a sweep whose jobs run in this process


def main() -> None:
    """Run the sweep that the command line asks for."""
    if not paths.CONF.is_dir():
        sys.exit(f"breakeven: there is no folder {paths.CONF} here: run this where dvc.yaml is.")
    paths.import_from_here()
    os.environ.setdefault(paths.HOME, str(Path.cwd()))
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # or Hydra ends the process with its own words
    version.setbase("1.3")
    parser = get_args_parser()
    asked = parser.parse_args()
    try:
        if asked.cfg or asked.help:
            asked.run = asked.multirun = False
            asked.overrides = next(iter(asked_for(asked.overrides)), asked.overrides)
        elif asked.info is None and not asked.shell_completion:
            asked.run, asked.multirun = False, True  # or Hydra blames a comma where a key is wrong
        with screen, _recorded():
            _run_hydra(asked, parser, job, str(paths.CONF.resolve()), NAME)
    except compose.ERRORS as error:
        sys.exit(f"breakeven: {compose.explain(error, asked.overrides, paths.CONF, NAME)}")
    except UserError as error:
        sys.exit(f"breakeven: {error}")
    except RuntimeError as error:  # of a launcher: jobs run in processes of their own
        what = "the sweep ended early" if finished else "the launcher does not start"
        sys.exit(f"breakeven: {what}: {error}")
    except KeyboardInterrupt:
        print("breakeven: interrupted; the same command goes on.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(1 if begun else max(finished, default=0))  # Hydra makes a warning of a record that fails


def job(settings: DictConfig) -> None:
    """Run one job, and note how it ended; nothing that happens to it ends the others."""
    _follow()
    context = HydraConfig.get()
    overrides, choices = list(context.overrides.task), context.runtime.choices
    folder = Path(context.runtime.output_dir)
    plan = Plan.read(folder.parent)
    name = plan.title(context.job.num)
    print(f"{name}: {' '.join(overrides)}", flush=True)
    _draw(context.job.num, name, plan.left(_outcomes(folder.parent)))
    # Where jobs run side by side, each line says whose it is.
    margin = "  " if plan.at_once == 1 else f"  {context.job.num + 1}: "
    outcome = _run(settings, str(choices["family"]), overrides, margin)
    write_json(folder / OUTCOME, asdict(outcome))
    ended = _outcomes(folder.parent)
    _draw(context.job.num + 1, name, plan.left(ended))
    _say(name, outcome, plan.far(ended))


def _run(settings: DictConfig, choice: str, overrides: list[str], margin: str) -> JobOutcome:
    if reason := settings.get(REFUSED):
        return _failed(overrides, reason)
    try:
        values: Any = OmegaConf.to_container(settings, resolve=True)
    except OmegaConfBaseException as error:
        return _failed(overrides, compose.explain(error, overrides, paths.CONF, NAME))
    return jobs.run(values, choice, overrides, margin)


def _failed(overrides: list[str], reason: str) -> JobOutcome:
    """Of a job that came to no settings, or was lost before it said what its key is."""
    return JobOutcome(" ".join(overrides) or "a job", overrides, FAILED, fingerprint(overrides), reason)


def _draw(done: int, name: str, left: str) -> None:
    for bar in bars:
        bar.move(done, name, left, now=True)


def _follow() -> None:
    """A launcher's process ends with the sweep that started it, and so do its jobs: joblib's would go on."""
    if str(os.getppid()) == os.environ.get(PARENT):
        end_with_parent()


def _outcomes(folder: Path) -> list[JobOutcome]:
    """Of the jobs of a sweep that have ended, in their order."""
    found = sorted(folder.glob(f"*/{OUTCOME}"), key=lambda path: int(path.parent.name))
    return [JobOutcome(**read_json(path)) for path in found]


def _tell(plan: Plan, folder: Path, number: int) -> None:
    """Print how a job of another process ended, whose own words are in a log."""
    if (path := folder / str(number) / OUTCOME).exists():
        _say(plan.title(number), JobOutcome(**read_json(path)), plan.far(_outcomes(folder)))


def _say(name: str, outcome: JobOutcome, far: str) -> None:
    reason = f", {outcome.reason}" if outcome.reason else ""
    print(f"{name}: {outcome.status}{reason}, {outcome.seconds:.0f} s{far}", flush=True)


@contextmanager
def _recorded() -> Iterator[None]:
    """A sweep that ends early has a record, too, once it has worked."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        for sweep in [each for each in begun if each.has_worked]:
            record(sweep, f"it had not ended when the sweep did ({jobs.words(error)})")
        raise


def record(sweep: RunningSweep, lost: str) -> None:
    """Write the record of all jobs of a sweep, and log it.

    Args:
        lost: why a job failed that has left no outcome.
    """
    screen.close()
    for number, overrides in enumerate(sweep.jobs):
        if not (path := sweep.folder / str(number) / OUTCOME).exists():
            outcome = _failed(overrides, submitit.lost.get(number, lost))
            with suppress(Exception):  # by its own key the sweep is the same one when it is completed
                outcome = replace(outcome, key=jobs.key_of(jobs.asked(overrides)).digest)
            write_json(path, asdict(outcome))
    outcomes = _outcomes(sweep.folder)
    command = shlex.join(["breakeven-sweep", *sys.argv[1:]])
    written = sweep_results.write_sweep(sweep.study, command, outcomes, sweep.recommend)
    count = Counter(outcome.status for outcome in outcomes)
    print(f"{written.name}: {', '.join(f'{number} {status}' for status, number in count.items())}")
    for outcome in (each for each in outcomes if each.reason):
        print(f"  {outcome.title}: {outcome.reason}")
    sweep_runs.log(written)
    begun.remove(sweep)
    finished.append(int(any(outcome.reason for outcome in outcomes)))


class RecordCallback(Callback):
    """Before the jobs: how many there are, and on how many cores. After them: the record, and MLflow."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Jobs that train at once with as many threads as there are cores would wait for each other."""
        every = planned(config.hydra) or []
        folder = Path(config.hydra.sweep.dir)
        recommend: Any = OmegaConf.to_container(config.recommend, resolve=True)
        begun.append(RunningSweep(str(config.study), folder, every, recommend))
        for path in folder.glob(f"*/{OUTCOME}"):  # of another sweep, in a folder that was given by hand
            path.unlink()
        os.environ[PARENT] = str(os.getpid())
        plan = Plan.of(config.hydra)
        plan.write(folder)
        hydra: Any = GlobalHydra.instance().hydra
        if "submitit" in str(config.hydra.launcher._target_):
            logs = str(config.hydra.launcher.submitit_folder).replace("%j", "*")
            print(f"What jobs print: {logs}/*_log.out", flush=True)
            screen.enter_context(submitit.each_alone(lambda number: _tell(plan, folder, number)))
        path = hydra.config_loader.get_search_path()
        hydra.config_loader = Composer(path, every, keeps=is_basic(config.hydra))
        if plan.total and plan.at_once == 1:  # or jobs' processes would print into the bar
            bars.append(screen.enter_context(shown("sweep", plan.total)))
        share = config.hydra.launcher.get("cpus_per_task") or max(1, cores() // (plan.at_once or 1))
        if share < cores():
            os.environ.setdefault("OMP_NUM_THREADS", str(share))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the record of all jobs, and log it."""
        record(begun[-1], "its process ended without a word")


if __name__ == "__main__":
    import importlib

    importlib.import_module(
        "breakeven.pipeline.sweep.main"
    ).main()  # so that launchers find the job by its name
