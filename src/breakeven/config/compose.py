"""The composition of `conf/` into the text of `params.yaml`, and explanations of its errors.

`dvc repro` does not compose, so after an edit in `conf/` it would use the old `params.yaml`. To prevent this,
the guard (`pipeline/stages/check_params.py`) composes again, from the overrides of the last composition.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from breakeven.config import allowed_keys, choices, composition_errors, conf_files
from breakeven.config.composition_errors import ERRORS, is_of_composition
from breakeven.config.sections import Settings
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean

__all__ = ["ERRORS", "compose", "compose_with_choices", "explain", "is_of_composition"]
MISSING_VALUE = object()  # the value of a missing key


def compose(overrides: Sequence[str] = (), conf: Path = paths.CONF, name: str = "config") -> str:
    """Return the text of `params.yaml` for these overrides, as DVC would write it.

    Args:
        overrides: in Hydra's grammar, for example "seed=1".
        conf: the folder to compose.
        name: the file to begin with, without ".yaml".

    Raises:
        UserError: an override names something that does not exist, or a file in `conf/` is wrong.
    """
    return OmegaConf.to_yaml(_compose(overrides, conf, name)[0])


def compose_with_choices(
    overrides: Sequence[str], conf: Path = paths.CONF, name: str = "config"
) -> tuple[Settings, dict[str, Any]]:
    """Return the settings for these overrides, and group -> the option that was chosen.

    Args:
        overrides: in Hydra's grammar, for example "seed=1".
        conf: the folder to compose.
        name: the file to begin with, without ".yaml".

    Raises:
        UserError: an override names something that does not exist, or a file in `conf/` is wrong.
    """
    config, choices = _compose(overrides, conf, name)
    settings: Any = OmegaConf.to_container(config)
    return settings, choices


def _compose(overrides: Sequence[str], conf: Path, name: str) -> tuple[DictConfig, dict[str, Any]]:
    if not conf.is_dir():
        raise UserError(f"There is no folder {conf} here: run this where dvc.yaml is.")
    if fault := composition_errors.override_fault(overrides, conf):
        raise UserError(fault)
    try:
        with initialized(conf):
            check = check_choices(GlobalHydra.instance().config_loader(), overrides, conf, name)
            config = hydra_compose(name, overrides=list(overrides), return_hydra_config=True)
        chosen = dict(config.hydra.runtime.choices)
        with open_dict(config):
            del config["hydra"]
        OmegaConf.resolve(config)
    except Exception as error:
        if not is_of_composition(error):
            raise
        raise UserError(explain(error, overrides, conf, name)) from None
    check(config)
    return config, chosen


def check_choices(
    loader: ConfigLoader, overrides: Sequence[str], conf: Path = paths.CONF, name: str = "config"
) -> Callable[[DictConfig], None]:
    """Check where the selected files put their settings, and return a check of the composed study's name.

    Raises:
        UserError: a file puts its settings elsewhere than its name says.
    """
    files = loader.compute_defaults_list(name, list(overrides), RunMode.RUN).defaults
    for file in conf_files.replacements(conf):
        print(f"{file} takes the place of the package's option of that name", file=sys.stderr)
    choices.require_own_places(files, conf)
    return lambda config: choices.require_study_name(files, config.get("study"), conf)


def compose_completed(
    overrides: Sequence[str], conf: Path = paths.CONF, name: str = "config"
) -> tuple[str, list[str]]:
    """Return the text of `params.yaml`, and the overrides as Hydra needs them.

    Hydra asks for a plus where a key is valid but no file in `conf/` sets it. This adds the plus.

    Raises:
        UserError: as of `compose`.
    """
    try:
        return compose(overrides, conf, name), list(overrides)
    except UserError:
        if composition_errors.override_fault(overrides, conf):
            raise
        settings = yaml.safe_load(compose(_choices_of(overrides, conf), conf, name))
        completed = [_with_plus(override, settings, conf) for override in overrides]
        if completed == list(overrides):
            raise
    return compose(completed, conf, name), completed


def _with_plus(override: str, settings: Settings, conf: Path) -> str:
    key, _, value = override.partition("=")
    if override.startswith(("+", "~")) or chooses(override, conf):
        return override
    *place, last = key.split(".")
    parent: Any = settings
    for part in place:
        parent = parent.get(part) if isinstance(parent, dict) else None
    if not isinstance(parent, dict):
        return override
    if last in parent:  # a mapping in place of a mapping can bring keys that conf/ does not set
        return f"++{override}" if isinstance(parent[last], dict) and value.startswith("{") else override
    return f"+{override}" if last in allowed_keys.allowed_keys(settings, place) else override


def initialized(conf: Path) -> AbstractContextManager[Any]:
    """Return a context in which Hydra is initialized for this folder.

    Within a sweep, Hydra is initialized already, and the context does nothing.
    """
    if GlobalHydra.instance().is_initialized():
        return nullcontext()
    context: AbstractContextManager[Any] = initialize_config_dir(str(conf.resolve()), version_base=None)
    return context


def differences(old: Settings, new: Settings, prefix: str = "") -> Iterator[str]:
    """Yield the overrides, in Hydra's grammar, that turn `old` into `new`."""
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, MISSING_VALUE), new.get(key, MISSING_VALUE)
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, path)
        elif after is MISSING_VALUE:
            yield f"~{path}"
        elif before != after:
            yield f"++{path}={literal(after)}"


def literal(value: Any) -> str:
    """Return `value` in the grammar of an override."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(literal, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        text: str = value
        # Hydra unescapes backslashes before a quote and before an interpolation, and nowhere else.
        text = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
        text = re.sub(r"(\\+)(?='|\Z)", r"\1\1", text)
        return "'" + text.replace("'", "\\'") + "'"
    return str(value)


def explain(error: Exception, overrides: Sequence[str], conf: Path, name: str = "config") -> str:
    """Return a sentence about an error of Hydra, with the nearest valid name if there is one.

    Args:
        error: one that a composition raised.
        overrides: the overrides of the composition.
        conf: the folder that was composed.
        name: the file that the composition began with.
    """
    if fault := composition_errors.override_fault(overrides, conf) or composition_errors.file_fault(
        error, conf
    ):
        return fault
    for override in overrides:
        explain_one = _explain_choice if chooses(override, conf) else _explain_value
        if sentence := explain_one(override, error, overrides, conf, name):
            return sentence
    return composition_errors.missing_option(error, conf) or composition_errors.placed_sentence(error, conf)


def _explain_choice(override: str, error: Exception, overrides: Sequence[str], conf: Path, name: str) -> str:
    """Return a sentence about an override that chooses options; "" if the error is not of it."""
    message = str(error) or str(error.__cause__)
    key, _, value = override.lstrip("+~").partition("=")
    group = key.partition("@")[0]
    own = conf_files.options(conf, group)
    is_missing = str(getattr(error, "missing_cfg_file", "")).startswith(f"{group}/")
    # Hydra also knows the options of its plugins.
    options = list(getattr(error, "options", None) or own) if is_missing else own
    for option in map(str.strip, value.strip("[]").split(",")):
        if option not in options and f"'{group}/{option}'" in message:
            return f"{key}={value}: {option!r} is {did_you_mean(option, options)}"
    return f"{override}: {composition_errors.sentence(error)}" if f"'{key}'" in message else ""


def _explain_value(override: str, error: Exception, overrides: Sequence[str], conf: Path, name: str) -> str:
    """Return a sentence about an override that sets a value; "" if the error is not of it."""
    message = str(error) or str(error.__cause__)
    key, _, value = override.lstrip("+~").partition("=")
    if f"Ambiguous value for argument '{override}'" in message:
        return f"{override}: a comma separates the values of a sweep; quote it: `'{key}=\"{value}\"'`."
    if f"'{key}'" in message or f"'{key.rpartition('.')[2]}'" in message:
        settings = yaml.safe_load(compose(_choices_of(overrides, conf), conf, name))
        return f"{key}={value}: {_near(key, settings)}"
    is_interpolation = "${" in value and "nterpolation" in message
    return f"{override}: {composition_errors.sentence(error)}" if is_interpolation else ""


def _choices_of(overrides: Sequence[str], conf: Path) -> list[str]:
    """Return the overrides that choose options."""
    return [each for each in overrides if chooses(each, conf) and not _sweeps(each)]


def chooses(override: str, conf: Path) -> bool:
    """Return whether an override chooses options of a group: the key before its @ is a folder of `conf`."""
    return conf_files.is_group(conf, override.lstrip("+~").partition("=")[0].partition("@")[0])


def _sweeps(override: str) -> bool:
    """Return whether an override gives several values, which a single composition cannot take."""
    (parsed,) = OverridesParser.create().parse_overrides([override])
    return parsed.is_sweep_override()


def _near(key: str, settings: Settings) -> str:
    """Return the end of a message: which key of the composition is nearest to `key`, or how to add it."""
    node: Any = settings
    place: list[str] = []
    for part in key.split("."):
        if not isinstance(node, dict):
            break
        allowed = allowed_keys.allowed_keys(settings, place)
        if part not in node and (part in allowed or (not node and key.startswith("data."))):
            return f"nothing is set there yet, so it is added by a plus: +{key}=VALUE."
        if part not in node:
            more = f" +{key}=VALUE adds an argument." if allowed_keys.ANY in allowed else ""
            known = dict.fromkeys([*map(str, node), *allowed])
            known.pop(allowed_keys.ANY, None)
            return f"the key {part!r} is {did_you_mean(part, known)}{more}"
        node, place = node[part], [*place, part]
    return "the value does not fit."
