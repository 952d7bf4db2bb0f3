"""How many jobs a sweep has, how many run at once, and what is left of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # Hydra is pinned to one minor version
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from breakeven.config import compose
from breakeven.core import paths
from breakeven.core.files import read_json, write_json
from breakeven.core.progress import Estimate
from breakeven.core.system_info import cores
from breakeven.pipeline.sweep.composer import NAME
from breakeven.results.sweep_results import CACHED, DONE, JobOutcome

FILE = "plan.json"


@dataclass(frozen=True)
class Plan:
    """Lies in the sweep's folder, because jobs run in other processes, and on other machines."""

    total: int | None  # None: another sweeper than Hydra's own finds out as it goes
    at_once: int | None  # None: as many as the launcher pleases

    @classmethod
    def of(cls, hydra: DictConfig) -> "Plan":
        """Of a sweep that is about to start.

        Args:
            hydra: the node `hydra` of the configuration.
        """
        at_once = 1 if is_basic(hydra) else hydra.launcher.get("n_jobs")
        if at_once and at_once < 0:  # joblib's word for as many as there are cores
            at_once = cores()
        jobs = planned(hydra)
        return cls(None if jobs is None else len(jobs), at_once)

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """The one in the sweep's folder."""
        values: dict[str, Any] = read_json(folder / FILE)
        return cls(**values)

    def write(self, folder: Path) -> None:
        """Write it into the sweep's folder."""
        write_json(folder / FILE, asdict(self))

    def title(self, number: int) -> str:
        """Of a job, which are counted from 0."""
        return f"job {number + 1}{f' of {self.total}' if self.total else ''}"

    def left(self, ended: Sequence[JobOutcome]) -> str:
        """The time left in words, from the seconds of the jobs that were made; or empty."""
        if not self.total or not self.at_once:
            return ""
        estimate = Estimate(self.total, self.at_once)
        for outcome in ended:
            if outcome.status in (DONE, CACHED):
                estimate.finish(outcome.seconds if outcome.status == DONE else None)
            else:  # says nothing of how long the others take
                estimate.done += 1
        return estimate.left()

    def far(self, ended: Sequence[JobOutcome]) -> str:
        """How far the sweep is, to be put behind the end of a job."""
        # One after another, the job's own number says how many have ended.
        count = f"{len(ended)} of {self.total} ended" if self.total and self.at_once != 1 else ""
        return "".join(f", {part}" for part in (count, self.left(ended)) if part)


def is_basic(hydra: DictConfig) -> bool:
    """Whether jobs run one after another in this process."""
    return str(hydra.launcher._target_).endswith(".BasicLauncher")


def planned(hydra: DictConfig) -> list[list[str]] | None:
    """The overrides of each job, as Hydra's own sweeper makes them of the command line; None for another."""
    if not str(hydra.sweeper._target_).endswith(".BasicSweeper"):
        return None
    asked = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    try:
        (every,) = BasicSweeper.split_arguments(
            parser.parse_overrides([*asked, *hydra.overrides.task]), max_batch_size=None
        )
    except HydraException:  # the sweeper will say so
        return None
    return every


def asked_for(overrides: Sequence[str]) -> list[list[str]]:
    """The overrides of each job that a command line asks for, Hydra's own first; none for another sweeper.

    Raises:
        HydraException: it cannot be composed.
    """
    with compose.initialized(paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        hydra = loader.load_configuration(NAME, list(overrides), RunMode.MULTIRUN).hydra
        return [[*hydra.overrides.hydra, *each] for each in planned(hydra) or []]
