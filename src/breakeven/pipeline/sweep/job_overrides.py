"""The overrides of each job that a command line asks for, expanded as Hydra's own sweeper does."""

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

CONFIG_NAME = "sweep"  # a job's configuration in conf/


# The keys of options. Which of them exist depends on the options that a job chooses.
KEYS_OF_OPTIONS = ("family.", "data.", "compressions.", "runtimes.", "quantizations.", "hardware.")


def for_each_job(overrides: Sequence[str]) -> list[str]:
    """Return the overrides so that Hydra applies those of options to each job, and to nothing else.

    Hydra applies an override with one value to the configuration of the whole sweep, which has the default
    family. A sweep over one value is applied to jobs only.

    Raises:
        HydraException: an override is not in Hydra's grammar.
    """
    return [_for_each_job(override) for override in overrides]


def _for_each_job(override: str) -> str:
    key, _, value = override.partition("=")
    if not value or not key.lstrip("+").startswith(KEYS_OF_OPTIONS):
        return override
    (parsed,) = OverridesParser.create().parse_overrides([override])
    if parsed.is_sweep_override():
        return override
    return f"{key}=choice({parsed.get_value_element_as_str()})"


def as_typed(word: str) -> str:
    """Return an override as it was before `for_each_job`; return any other word unchanged."""
    key, _, value = word.partition("=")
    if not (value.startswith("choice(") and key.lstrip("+").startswith(KEYS_OF_OPTIONS)):
        return word
    (parsed,) = OverridesParser.create().parse_overrides([word])
    values = [*parsed.sweep_string_iterator()]
    return f"{key}={values[0]}" if len(values) == 1 else word


def expand(overrides: Sequence[str], loader: ConfigLoader) -> list[list[str]]:
    """Return the overrides of each job. If a key is given twice, the last one counts.

    Raises:
        HydraException: an override is not in Hydra's grammar, or its sweep is not a list.
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
    """Return the overrides of each job: each list of the study's choices, combined with the command line's.

    If the command line gives a key that every list gives, such as the family, it replaces the lists.

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
        # Two lists give the same jobs if the command line replaces every key in which they differ.
        every += [job for job in expand([*chosen, *overrides], loader) if job not in every]
    return every


def jobs_of_command(overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides of each job that a command line asks for, with Hydra's own overrides first.

    Raises:
        HydraException: the configuration cannot be composed.
    """
    overrides = for_each_job(overrides)
    with compose.initialized(paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        hydra = loader.load_configuration(CONFIG_NAME, list(overrides), RunMode.MULTIRUN).hydra
        every = expand_all(hydra.sweeper, hydra.overrides.task, loader)
        return [[*hydra.overrides.hydra, *job] for job in every]
