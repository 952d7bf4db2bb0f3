"""The composition of a sweep's jobs: each is composed once, before any job runs."""

import copy
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from breakeven.config import compose
from breakeven.config.credentials import require_no_credentials
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.pipeline.sweep import job_study, job_task
from breakeven.pipeline.sweep.job_overrides import CONFIG_NAME


def compose_jobs(
    loader: ConfigLoader, master: DictConfig, every: Sequence[Sequence[str]], folder: Path
) -> dict[int, str]:
    """Write the settings of each job into the sweep's folder, after all checks of a study.

    Args:
        loader: Hydra's own.
        master: the configuration of the sweep.
        every: the overrides of each job.

    Returns:
        For each job that cannot be composed, by its number: why.

    Raises:
        UserError: none of the jobs can be composed.
    """
    refused = {}
    chosen_by_hydra: Any = OmegaConf.to_container(master.hydra.overrides.hydra)
    # Which files a job reads depends on its choices alone, and many jobs share theirs.
    check_choices = functools.cache(
        lambda chosen: compose.check_choices(loader, [*chosen_by_hydra, *chosen], name=CONFIG_NAME)
    )
    for number, overrides in enumerate(every):
        try:
            check = check_choices(tuple(each for each in overrides if compose.chooses(each, paths.CONF)))
            config = loader.load_sweep_config(master, list(overrides))
            check(config)
            HydraConfig.instance().set_config(config)  # settings may refer to ${hydra:...}
            choice = job_study.family_of(config.hydra.runtime.choices)
            with open_dict(config):
                del config["hydra"]
            settings: Any = OmegaConf.to_container(config, resolve=True)
            require_no_credentials(settings)
            job_study.study_of(settings, choice, overrides)
        except UserError as error:
            refused[number] = str(error)
        except Exception as error:
            if not compose.is_of_composition(error):
                raise
            refused[number] = compose.explain(error, overrides, paths.CONF, CONFIG_NAME)
        else:
            write_json(job_task.settings_file(folder, number), {"choice": choice, "settings": settings})
    if refused and len(refused) == len(every):
        raise UserError(refused[0])
    return refused


class ComposedJobs(ConfigLoader):
    """A config loader that gives launchers a job's configuration without its settings.

    The settings of each job are in the sweep's folder.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Return the sweep's configuration with the overrides of a job."""
        config = copy.deepcopy(master_config)
        with open_dict(config):
            config.hydra.overrides.task = list(sweep_overrides)
        return config

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Compose a configuration with Hydra's own loader."""
        return self._loader.load_configuration(
            config_name, overrides, run_mode, from_shell, validate_sweep_overrides
        )

    def get_search_path(self) -> ConfigSearchPath:
        """Return the search path from Hydra's own loader."""
        return self._loader.get_search_path()

    def get_sources(self) -> list[ConfigSource]:
        """Return the sources from Hydra's own loader."""
        return self._loader.get_sources()

    def list_groups(self, parent_name: str) -> list[str]:
        """Return the groups from Hydra's own loader."""
        return self._loader.list_groups(parent_name)

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        """Return the options of a group from Hydra's own loader."""
        return self._loader.get_group_options(group_name, results_filter, config_name, overrides)

    def compute_defaults_list(self, config_name: str | None, overrides: list[str], run_mode: RunMode) -> Any:
        """Return the defaults list from Hydra's own loader."""
        return self._loader.compute_defaults_list(config_name, overrides, run_mode)
