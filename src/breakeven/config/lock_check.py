"""A check that the results here belong to `params.yaml`, by the settings of each stage in `dvc.lock`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from breakeven.config.schema import Study
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import flatten

DVC_LOCK = Path("dvc.lock")


def require_current(study: Study) -> None:
    """Raise an error if the results were made with other settings than the study's.

    Raises:
        UserError: a setting differs. The message names the stage and the setting.
    """
    if not DVC_LOCK.exists():  # DVC has run nothing
        return
    ran = _read(DVC_LOCK).get("stages", {})
    settings = _read(paths.PARAMS)
    for name in _stages(study):
        sections = ran.get(name, {}).get("params", {}).get(str(paths.PARAMS), {})
        for section, value in sections.items():
            then, now = (flatten({section: part}) for part in (value, _part(settings, section)))
            for key in sorted(then.keys() | now.keys()):
                # Compare them as text, because DVC writes 1e-05, which YAML 1.1 reads as text.
                was, wanted = (str(values.get(key, "nothing")) for values in (then, now))
                if was != wanted:
                    raise UserError(
                        f"The results here are of {key}={was} (stage {name}), and {paths.PARAMS} says "
                        f"{wanted}: run `dvc repro`."
                    )


def _stages(study: Study) -> Iterator[str]:
    """Yield the names of the stages, as DVC writes them."""
    for name, family in study.families.items():
        yield from (f"prepare@{family.data}", f"train@{name}")
        yield from (f"compress@{name}-{recipe}" for recipe in study.compressions)
        yield from (f"export@{name}", f"quantize@{name}")
        yield from (f"benchmark@{name}-{hardware}" for hardware in study.hardware)


def _part(settings: Any, section: str) -> Any:
    for key in section.split("."):
        settings = settings.get(key, {}) if isinstance(settings, dict) else {}
    return settings


def _read(path: Path) -> Any:
    return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
