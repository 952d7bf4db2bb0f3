"""From `conf/` to `params.yaml`, and the knowledge of which overrides that took.

`dvc repro` never composes, so it would go on with yesterday's `params.yaml` after an edit in `conf/`. The
guard compares the two. It has to remember the overrides of the last composition, because `params.yaml` alone
does not say what was asked for and what `conf/` said at the time.
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
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from breakeven import paths
from breakeven.config import Settings
from breakeven.errors import UserError
from breakeven.option import choice

MISSING = object()


def compose(overrides: Sequence[str] = (), conf: Path = paths.CONF, name: str = "config") -> str:
    """The text of `params.yaml` for these overrides, as DVC would write it.

    Raises:
        UserError: an override names what does not exist, or a file in `conf/` is wrong.
    """
    try:
        with _initialized(conf):
            config = hydra_compose(name, overrides=list(overrides))
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise UserError(explain(error, overrides, conf)) from None
    return OmegaConf.to_yaml(config)


def _initialized(conf: Path) -> AbstractContextManager[Any]:
    """Hydra takes one folder in a process: within a sweep's job, that is the folder of the sweep."""
    if GlobalHydra.instance().is_initialized():
        return nullcontext()
    context: AbstractContextManager[Any] = initialize_config_dir(str(conf.resolve()), version_base=None)
    return context


def differences(old: Settings, new: Settings, place: str = "") -> Iterator[str]:
    """The overrides, in Hydra's grammar, that turn `old` into `new`."""
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        path = f"{place}.{key}" if place else str(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, path)
        elif after is MISSING:
            yield f"~{path}"
        elif before != after:
            yield f"++{path}={literal(after)}"


def literal(value: Any) -> str:
    """`value` as it is written in an override."""
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


def explain(error: Exception, overrides: Sequence[str], conf: Path) -> str:
    """Hydra's message in one sentence, with the nearest valid name where there is one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    sentence = " ".join(lines[:2] if lines and lines[0].startswith("In ") else lines[:1]).rstrip(".")
    for override in overrides:
        key, equals, value = override.lstrip("+~").partition("=")
        if not equals and not override.startswith("~"):
            return f"{override}: an override is KEY=VALUE, for example seed=1 or study=reference."
        group = conf / key.partition("@")[0]
        if group.is_dir():
            known = sorted(path.stem for path in group.glob("*.yaml"))
            for name in value.strip("[]").split(","):
                if name.strip() not in known:
                    return f"{key}={value}: {name.strip()!r} is {choice(name.strip(), known)}"
        elif f"'{key}'" in str(error) or f"'{key.rpartition('.')[2]}'" in str(error):
            return f"{key}={value}: {_near(key, conf)}"
    return f"{conf}: {sentence}."


def _near(key: str, conf: Path) -> str:
    """What `key` could have meant, among the keys of the default composition."""
    node: Any = yaml.safe_load(compose((), conf))
    for part in key.split("."):
        if not isinstance(node, dict):
            break
        if part not in node:
            return f"the key {part!r} is {choice(part, map(str, node))}"
        node = node[part]
    return "the value does not fit."
