"""The study of a sweep's job, from its overrides, and the cache key of its records."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from breakeven.config import compose
from breakeven.config.schema import validate
from breakeven.config.sections import Settings
from breakeven.config.study import Study
from breakeven.core import system_info
from breakeven.core.cache import CacheKey
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.pipeline.stage_code import job_code
from breakeven.pipeline.stages.fetch import input_digests
from breakeven.results.job_results import of_one_family

MAX_VALUE_LENGTH = 38  # characters of a value in a name
# Overrides that change a model or an artifact, and therefore the family's name
NAMING_OVERRIDES = (
    *("family.", "model@", "train@", "data.", "seed=", "export."),
    *("compressions.", "runtimes.", "quantizations."),
)
NAMELESS_OVERRIDES = ("export.builds=",)  # they change how often an artifact is built, not what it is


def composed_study(overrides: Sequence[str]) -> Study:
    """Return the study of a job with these overrides, composed from the current configuration.

    Raises:
        UserError: the study cannot be composed.
    """
    settings, choices = compose.compose_with_choices(overrides, name="sweep")
    return study_of(settings, family_of(choices), overrides)


def family_of(choices: Mapping[str, Any]) -> str:
    """Return the family that the overrides of a job choose.

    Raises:
        UserError: they choose none, or several.
    """
    choice = choices.get("family")
    if not isinstance(choice, str):
        raise UserError("family: a job of a sweep has one family; choose it by its file, as family=cnn.")
    return choice


def study_of(settings: Mapping[str, Any], choice: str, overrides: Sequence[str]) -> Study:
    """Return the study of a job. Its family's name consists of the choice and the overrides that change it.

    The study's runtimes always include the baseline.
    """
    if several := settings.get("families"):
        raise UserError(
            f"study={settings['study']}: it lists families, and is for `dvc repro`. In a sweep each job has "
            f"one: family={','.join(several)}, with the study's other choices as overrides."
        )
    settings_of_study = {
        k: v for k, v in settings.items() if k not in ("family", "data", "again", "growing_runtime")
    }
    plain = sorted(each.lstrip("+") for each in overrides)
    name = "-".join([choice, *(_change(each) for each in plain if _names(each))])
    family = settings["family"]
    data = family.get("data")
    if data in (None, "???"):
        raise UserError(f"family={choice}: its `data` should name its dataset, a file of conf/data.")
    return validate(
        {
            **settings_of_study,
            "families": {name: family},
            "datasets": {data: _option("data", str(data)) | settings.get("data", {})},
            "hardware": {_hardware_name(key, plain): values for key, values in settings["hardware"].items()},
            "runtimes": {"eager": _option("runtime", "eager"), **settings["runtimes"]},
        }
    )


def _hardware_name(hardware: str, overrides: Sequence[str]) -> str:
    """Return the name of a hardware, with the overrides of its settings as a suffix."""
    return "-".join(
        [hardware, *(_change(each) for each in overrides if each.startswith(f"hardware.{hardware}."))]
    )


def _names(override: str) -> bool:
    return override.startswith(NAMING_OVERRIDES) and not override.startswith(NAMELESS_OVERRIDES)


def _change(override: str) -> str:
    """Return an override in a form for names of families and files: its key's last part and its value."""
    key, _, value = override.partition("=")
    last = key.rpartition(".")[2]
    text = value if last == "_target_" else last + value  # a path of a class needs no key
    safe = re.sub(r"[^\w.-]+", "_", text)[:MAX_VALUE_LENGTH]
    return safe if safe == text else f"{safe}_{fingerprint(override)[:6]}"


def key_of(study: Study) -> CacheKey:
    """Return the cache key of a job: everything that its records depend on, without the family's name."""
    overridden = [set(study.option("hardware", name).environment()) for name in study.hardware]
    parts = {
        "settings": of_one_family(study.model_dump(exclude={"study", "recommend", "ladder", "serve"})),
        "outside": {kind.partition("/")[0]: digests for kind, digests in input_digests(study).items()},
        "machine": system_info.collect(),
        "cores": system_info.cores(),
        "environment": system_info.tuning_variables(set.intersection(*overridden)),
        "code": job_code(study),
    }
    return CacheKey("job", parts)


@functools.cache
def _option(group: str, name: str) -> Settings:
    """Return the settings of an option of `conf/` without overrides."""
    option = yaml.safe_load(compose.compose([], name=f"{group}/{name}"))
    for part in [group] if group in option else [f"{group}s", name]:
        option = option[part]
    return dict(option)
