"""How a sweep composes its jobs: each file is read once, and what cannot be composed costs its job alone."""

import copy
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl  # Hydra is pinned to one minor version
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, open_dict

from breakeven.config import compose
from breakeven.core import paths
from breakeven.core.errors import UserError

NAME = "sweep"  # of the configuration of a job
REFUSED = "refused"  # its key with the reason why a job cannot be composed


class Composer(ConfigLoaderImpl):
    """Composes jobs: one that cannot be composed is one that fails, unless none can be.

    Hydra composes each job to check it, before any runs, and again to run it. Where that is in this process,
    the first is kept for the second.
    """

    def __init__(self, path: ConfigSearchPath, every: Sequence[Sequence[str]], keeps: bool) -> None:
        """For jobs with these overrides."""
        super().__init__(path)
        repository: Any = Files(self.repository)
        self.repository = repository
        self._every, self._keeps = {tuple(overrides) for overrides in every}, keeps
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self._refused: dict[tuple[str, ...], str] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """The configuration of a job.

        Raises:
            UserError: none of the jobs can be composed.
        """
        job = tuple(sweep_overrides)
        if job in self._composed:
            return self._composed.pop(job)
        if job not in self._refused:
            try:
                found = super().load_sweep_config(master_config, sweep_overrides)
            except Exception as error:
                self._refused[job] = compose.explain(error, job, paths.CONF, NAME)
                if self._every.issubset(self._refused):
                    raise UserError(next(iter(self._refused.values()))) from None
            else:
                if self._keeps:
                    self._composed[job] = copy.deepcopy(found)  # who asks for it twice would find it in use
                return found
        refusal = copy.deepcopy(master_config)
        with open_dict(refusal):
            refusal.hydra.overrides.task = list(job)
            refusal[REFUSED] = self._refused[job]
        return refusal


class Files(CachingConfigRepository):
    """Hydra's own copy of what it has read lasts for one composition, and is changed by it."""

    def __init__(self, delegate: IConfigRepository) -> None:
        """Of what this one finds."""
        super().__init__(delegate)
        self._read: dict[str, ConfigResult] = {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        """A file, by its name in the search path; the caller's own."""
        if config_path not in self._read:
            if not (found := self.delegate.load_config(config_path)):
                return None
            self._read[config_path] = found
        return copy.deepcopy(self._read[config_path])

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        """Look elsewhere."""
        self._read = {}
        super().initialize_sources(config_search_path)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Files":
        """One that may look elsewhere, and until then has read the same."""
        other = Files(self.delegate)
        other._read = self._read
        return other
