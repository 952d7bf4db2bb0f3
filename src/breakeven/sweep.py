"""The command `breakeven-sweep`: one job for each combination of choices, by Hydra."""

import os
import shlex
import sys
from collections import Counter
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

from breakeven import compose, jobs, paths, sweeps
from breakeven.errors import UserError
from breakeven.files import read_json, write_json
from breakeven.jobs import FAILED, Outcome
from breakeven.processes import PARENT, end_with_parent

OUTCOME = "outcome.json"
INTERRUPTED = 130
finished: list[int] = []  # exit codes of the sweeps of this process


def main() -> None:
    """Run the sweep that the command line asks for."""
    if not paths.CONF.is_dir():
        sys.exit(f"breakeven: there is no folder {paths.CONF} here: run this where dvc.yaml is.")
    os.environ.setdefault(paths.HOME, str(Path.cwd()))
    overrides = [word for word in sys.argv[1:] if not word.startswith("-")]
    conf = str(paths.CONF.resolve())
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # or Hydra ends the process with its own words
    try:
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
    print(f"job {context.job.num}: {' '.join(overrides)}", flush=True)
    outcome = jobs.run(values, str(choices["family"]), overrides)
    reason = f", {outcome.reason}" if outcome.reason else ""
    print(f"job {context.job.num}: {outcome.status}{reason}, {outcome.seconds:.0f} s", flush=True)
    write_json(Path(context.runtime.output_dir) / OUTCOME, asdict(outcome))


def _follow() -> None:
    """A launcher's process ends with the sweep that started it, and so do its jobs: joblib's would go on."""
    if str(os.getppid()) == os.environ.get(PARENT):
        end_with_parent()


def _compose_once() -> None:
    """Hydra composes each job to check it, before any runs, and again to run it: here the first is taken."""
    loader: Any = GlobalHydra.instance().config_loader()
    compose_job = loader.load_sweep_config
    composed: dict[tuple[str, ...], DictConfig] = {}

    def load(master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        job = tuple(sweep_overrides)
        if job not in composed:
            composed[job] = compose_job(master_config, sweep_overrides)
            return composed[job]
        return composed.pop(job)

    loader.load_sweep_config = load


class Collect(Callback):
    """Before the jobs: how many cores each may train on. After them: the record of the sweep, and MLflow."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Jobs that train at once with as many threads as there are cores would wait for each other."""
        os.environ[PARENT] = str(os.getpid())
        launcher = config.hydra.launcher
        if launcher._target_.endswith(".BasicLauncher"):
            _compose_once()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        at_once = launcher.get("n_jobs") or 1
        if at_once < 0:  # joblib's word for as many as there are cores
            at_once = cores
        share = launcher.get("cpus_per_task") or max(1, cores // at_once)
        if share < cores:
            os.environ.setdefault("OMP_NUM_THREADS", str(share))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the record of all jobs, and log it."""
        folder = Path(config.hydra.sweep.dir)
        found = sorted(folder.glob(f"*/{OUTCOME}"), key=lambda path: int(path.parent.name))
        outcomes = [Outcome(**read_json(path)) for path in found]
        command = shlex.join(["breakeven-sweep", *sys.argv[1:]])
        record = sweeps.write(str(config.study), command, outcomes)
        count = Counter(outcome.status for outcome in outcomes)
        print(f"{record.name}: {', '.join(f'{number} {status}' for status, number in count.items())}")
        for outcome in outcomes:
            if outcome.status == FAILED:
                print(f"  {outcome.title}: {outcome.reason}")
        sweeps.log(record)
        finished.append(int(count[FAILED] > 0))


if __name__ == "__main__":
    import importlib

    importlib.import_module("breakeven.sweep").main()  # so that launchers find the job by its name
