"""The composition of `conf/` into the text of `params.yaml`, and explanations of its errors.

`dvc repro` does not compose, so after an edit in `conf/` it would use the old `params.yaml`. To prevent this,
the guard (`pipeline/stages/check_params.py`) composes again, from the overrides of the last composition.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from breakeven.config.schema import Settings
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean

MISSING = object()  # the value of a missing key
ERRORS = (HydraException, OmegaConfBaseException, yaml.YAMLError)  # that a composition raises


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
    try:
        with initialized(conf):
            config = hydra_compose(name, overrides=list(overrides), return_hydra_config=True)
        choices = dict(config.hydra.runtime.choices)
        with open_dict(config):
            del config["hydra"]
        OmegaConf.resolve(config)
    except ERRORS as error:
        raise UserError(explain(error, overrides, conf, name)) from None
    return config, choices


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
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, path)
        elif after is MISSING:
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
        error: one of `ERRORS`.
        overrides: the overrides of the composition.
        conf: the folder that was composed.
        name: the file that the composition began with.
    """
    if sentence := _unparsable(overrides):
        return sentence
    message = str(error) or str(error.__cause__)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    sentence = " ".join(lines[:2] if lines and lines[0].startswith("In ") else lines[:1]).rstrip(".")
    for override in overrides:
        key, equals, value = override.lstrip("+~").partition("=")
        if not equals and not override.startswith("~"):
            return f"{override}: an override is KEY=VALUE, for example seed=1 or study=reference."
        if _chooses(override, conf):
            group = key.partition("@")[0]
            options = sorted(path.stem for path in (conf / group).glob("*.yaml"))
            for option in map(str.strip, value.strip("[]").split(",")):
                if option not in options and f"'{group}/{option}'" in message:
                    return f"{key}={value}: {option!r} is {did_you_mean(option, options)}"
        elif f"Ambiguous value for argument '{override}'" in message:
            return f"{override}: a comma separates the values of a sweep; quote it: `'{key}=\"{value}\"'`."
        elif f"'{key}'" in message or f"'{key.rpartition('.')[2]}'" in message:
            chosen = [each for each in overrides if _chooses(each, conf) and not _sweeps(each)]
            return f"{key}={value}: {_near(key, yaml.safe_load(compose(chosen, conf, name)))}"
    return f"{conf}: {sentence}."


def _unparsable(overrides: Sequence[str]) -> str:
    """Return a sentence about the first override that Hydra's grammar refuses; empty if there is none."""
    for override in overrides:
        key, equals, value = override.partition("=")
        if equals:
            try:
                OverridesParser.create().parse_overrides([override])
            except HydraException:
                if value[:1] in ("[", "{", "'", '"'):
                    return f"{override}: a bracket or a quote is not closed, or a value in it needs quotes."
                return f"{override}: the value holds characters that need quotes: `'{key}=\"{value}\"'`."
    return ""


def _chooses(override: str, conf: Path) -> bool:
    """Return whether an override chooses options of a group."""
    return (conf / override.lstrip("+~").partition("=")[0].partition("@")[0]).is_dir()


def _sweeps(override: str) -> bool:
    """Return whether an override gives several values, which a single composition cannot take."""
    (parsed,) = OverridesParser.create().parse_overrides([override])
    return parsed.is_sweep_override()


def _near(key: str, node: Any) -> str:
    """Return the end of a message: which key of the composition `node` is nearest to `key`."""
    for part in key.split("."):
        if not isinstance(node, dict):
            break
        if not node and key.startswith("data."):
            return f"nothing is set there yet, so it is added by a plus: +{key}=VALUE."
        if part not in node:
            return f"the key {part!r} is {did_you_mean(part, map(str, node))}"
        node = node[part]
    return "the value does not fit."
