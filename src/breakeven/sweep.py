"""The command `breakeven-sweep`: one job for each combination of choices, by Hydra."""

import copy
import os
import shlex
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from breakeven import compose, jobs, paths, sweeplog, sweeps
from breakeven.errors import UserError
from breakeven.files import read_json, write_json
from breakeven.processes import PARENT, end_with_parent
from breakeven.progress import Shown, shown
from breakeven.sweep_plan import Plan, cores
from breakeven.sweeps import FAILED, Outcome

OUTCOME = "outcome.json"
INTERRUPTED = 130
finished: list[int] = []  # exit codes of the sweeps of this process
screen = ExitStack()  # what it shows, until it ends
bars: list[Shown] = []  # of a sweep whose jobs run in this process


def main() -> None:
    """Run the sweep that the command line asks for."""
    if not paths.CONF.is_dir():
        sys.exit(f"breakeven: there is no folder {paths.CONF} here: run this where dvc.yaml is.")
    os.environ.setdefault(paths.HOME, str(Path.cwd()))
    overrides = [word for word in sys.argv[1:] if not word.startswith("-")]
    conf = str(paths.CONF.resolve())
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # or Hydra ends the process with its own words
    try:
        with screen:
            hydra.main(config_path=conf, config_name="sweep", version_base="1.3")(job)()
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(f"breakeven: {compose.explain(error, overrides, paths.CONF)}")
    except UserError as error:
        sys.exit(f"breakeven: {error}")
    except RuntimeError as error:  # of a launcher: jobs run in processes of their own
        sys.exit(f"breakeven: the launcher does not start: {error}")
    except KeyboardInterrupt:
        print("breakeven: interrupted; the same command goes on.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(max(finished, default=0))


def job(settings: DictConfig) -> None:
    """Run one job, and note how it ended; nothing that happens to it ends the others."""
    _follow()
    context = HydraConfig.get()
    overrides, choices = list(context.overrides.task), context.runtime.choices
    values: Any = OmegaConf.to_container(settings, resolve=True)
    folder = Path(context.runtime.output_dir)
    plan = Plan.read(folder.parent)
    name = plan.title(context.job.num)
    print(f"{name}: {' '.join(overrides)}", flush=True)
    _draw(context.job.num, name, plan.left(_outcomes(folder.parent)))
    # Where jobs run side by side, each line says whose it is.
    margin = "  " if plan.at_once == 1 else f"  {context.job.num + 1}: "
    outcome = jobs.run(values, str(choices["family"]), overrides, margin)
    write_json(folder / OUTCOME, asdict(outcome))
    reason = f", {outcome.reason}" if outcome.reason else ""
    ended = _outcomes(folder.parent)
    _draw(context.job.num + 1, name, plan.left(ended))
    print(f"{name}: {outcome.status}{reason}, {outcome.seconds:.0f} s{plan.far(ended)}", flush=True)


def _draw(done: int, name: str, left: str) -> None:
    for bar in bars:
        bar.move(done, name, left, now=True)


def _follow() -> None:
    """A launcher's process ends with the sweep that started it, and so do its jobs: joblib's would go on."""
    if str(os.getppid()) == os.environ.get(PARENT):
        end_with_parent()


def _outcomes(folder: Path) -> list[Outcome]:
    """Of the jobs of a sweep that have ended, in their order."""
    found = sorted(folder.glob(f"*/{OUTCOME}"), key=lambda path: int(path.parent.name))
    return [Outcome(**read_json(path)) for path in found]


def _compose_once() -> None:
    """Hydra composes each job to check it, before any runs, and again to run it: here the first is taken."""
    loader: Any = GlobalHydra.instance().config_loader()
    compose_job = loader.load_sweep_config
    composed: dict[tuple[str, ...], DictConfig] = {}

    def load(master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        job = tuple(sweep_overrides)
        if job not in composed:
            found: DictConfig = compose_job(master_config, sweep_overrides)
            composed[job] = copy.deepcopy(found)  # a job that is asked for twice would find it in use
            return found
        return composed.pop(job)

    loader.load_sweep_config = load


class Collect(Callback):
    """Before the jobs: how many there are, and on how many cores. After them: the record, and MLflow."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Jobs that train at once with as many threads as there are cores would wait for each other."""
        finished.append(1)  # until the record is written: Hydra makes a warning of what goes wrong here
        os.environ[PARENT] = str(os.getpid())
        plan = Plan.of(config.hydra)
        plan.write(Path(config.hydra.sweep.dir))
        if str(config.hydra.launcher._target_).endswith(".BasicLauncher"):
            _compose_once()
        if plan.total and plan.at_once == 1:  # or jobs' processes would print into the bar
            bars.append(screen.enter_context(shown("sweep", plan.total)))
        share = config.hydra.launcher.get("cpus_per_task") or max(1, cores() // (plan.at_once or 1))
        if share < cores():
            os.environ.setdefault("OMP_NUM_THREADS", str(share))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the record of all jobs, and log it."""
        screen.close()
        outcomes = _outcomes(Path(config.hydra.sweep.dir))
        command = shlex.join(["breakeven-sweep", *sys.argv[1:]])
        record = sweeps.write(str(config.study), command, outcomes)
        count = Counter(outcome.status for outcome in outcomes)
        print(f"{record.name}: {', '.join(f'{number} {status}' for status, number in count.items())}")
        for outcome in outcomes:
            if outcome.status == FAILED:
                print(f"  {outcome.title}: {outcome.reason}")
        sweeplog.log(record)
        finished[-1] = int(count[FAILED] > 0)


if __name__ == "__main__":
    import importlib

    importlib.import_module("breakeven.sweep").main()  # so that launchers find the job by its name
