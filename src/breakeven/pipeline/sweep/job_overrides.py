"""Which jobs a command line asks for: the overrides of each, as Hydra's own sweeper expands them."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode

from breakeven.config import compose
from breakeven.core import paths

CONFIG_NAME = "sweep"  # of the configuration of a job in conf/


def expand(overrides: Sequence[str], loader: ConfigLoader) -> list[list[str]]:
    """Return the overrides of each job; of a key that is given twice the last counts.

    Raises:
        HydraException: an override is not in Hydra's grammar, or sweeps over no list.
    """
    choices = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(list(overrides)):
        key = override.get_key_element()
        if not override.is_sweep_override():
            choices[key] = [f"{key}={override.get_value_element_as_str()}"]
        elif override.is_discrete_sweep():
            choices[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise HydraException(f"{override.input_line}: a sweep takes lists, ranges and globs.")
    return [list(job) for job in itertools.product(*choices.values())]


def expand_all(sweeper: Mapping[str, Any], overrides: Sequence[str], loader: ConfigLoader) -> list[list[str]]:
    """Return the overrides of each job: each list of a study's choices, with those of the command line.

    A command line that gives what every list gives, such as a family, replaces the lists.

    Args:
        sweeper: the settings of the sweeper; `params` and `params_lists` are the study's choices.
        overrides: those of the command line.

    Raises:
        HydraException: as of `expand`.
    """
    params, lists = dict(sweeper.get("params") or {}), list(sweeper.get("params_lists") or [])
    if lists:
        shared = set.intersection(*(set(choices) for choices in lists))
        if shared & {override.lstrip("+").partition("=")[0] for override in overrides}:
            lists = []
    every: list[list[str]] = []
    for choices in lists or [{}]:
        chosen = [f"{key}={value}" for key, value in {**params, **choices}.items()]
        # Where the command line replaces what differs between two lists, their jobs are the same.
        every += [job for job in expand([*chosen, *overrides], loader) if job not in every]
    return every


def jobs_of_command(overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides of each job that a command line asks for, Hydra's own first.

    Raises:
        HydraException: it cannot be composed.
    """
    with compose.initialized(paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        hydra = loader.load_configuration(CONFIG_NAME, list(overrides), RunMode.MULTIRUN).hydra
        every = expand_all(hydra.sweeper, hydra.overrides.task, loader)
        return [[*hydra.overrides.hydra, *job] for job in every]
