"""A check that the results here belong to `params.yaml`, and are the ones that `dvc.lock` describes."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from breakeven.config.dvc_digests import DvcDigests
from breakeven.config.study import Study
from breakeven.config.yaml_file import read_mapping
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import flatten

DVC_LOCK = Path("dvc.lock")
DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?")
DAMAGED = (
    f"`git checkout {DVC_LOCK}` brings the committed one back; otherwise delete it, and `dvc repro` writes "
    "it again"
)


def require_current(study: Study, further: Iterable[str] = ()) -> None:
    """Raise an error unless the results here are those of the study and of `dvc.lock`.

    Args:
        study: the study in `params.yaml`.
        further: stages whose results are asked for, as DVC writes them, besides those of every study.

    Raises:
        UserError: a stage has not run; or it ran with another setting; or a file that it wrote is missing or
            differs from the one that it wrote, as after `git checkout`.
    """
    if not DVC_LOCK.exists():
        raise UserError(f"There are no results of this study: {DVC_LOCK} is missing: run `dvc repro`.")
    stages = _mapping(read_mapping(DVC_LOCK, DAMAGED), "stages")
    settings = read_mapping(paths.PARAMS, "run `breakeven compose`")
    digests = DvcDigests(paths.private() / "dvc_digests.json")
    names = [*_stages(study), *further]
    for name in names:
        if name not in stages:
            raise UserError(
                f"{DVC_LOCK} has no stage {name}, so there are no results of it: run `dvc repro`."
            )
        _require_settings(name, _mapping(_mapping(stages, name), "params"), settings)
    for name in names:
        _require_outputs(name, stages[name], digests)
    digests.save()


def _require_settings(name: str, params: dict[str, Any], settings: Any) -> None:
    """Raise a UserError if a stage ran with other settings than those in params.yaml."""
    for section, value in _mapping(params, str(paths.PARAMS)).items():
        then, now = (flatten({section: part}) for part in (value, _part(settings, section)))
        for key in sorted(then.keys() | now.keys()):
            # Compare them as text, because DVC writes 1e-05, which YAML 1.1 reads as text.
            was, wanted = (str(values[key]) if key in values else None for values in (then, now))
            if was != wanted:
                made = f"without {key}" if was is None else f"with {key}={was}"
                says = f"does not set {key}" if wanted is None else f"says {key}={wanted}"
                raise UserError(
                    f"The results here were made {made} (stage {name}), and {paths.PARAMS} {says}: "
                    "run `dvc repro`."
                )


def _require_outputs(name: str, stage: dict[str, Any], digests: DvcDigests) -> None:
    """Raise a UserError if an output of a stage is missing, or is not the one that the stage wrote."""
    outputs = stage.get("outs")
    if not isinstance(outputs, list) or not outputs:
        raise UserError(f"{DVC_LOCK} is damaged: its stage {name} has no outputs: {DAMAGED}.")
    for output in outputs:
        path, noted = (str(output.get(key)) if isinstance(output, dict) else "" for key in ("path", "md5"))
        if not DIGEST.fullmatch(noted):
            raise UserError(
                f"{DVC_LOCK} is damaged: its stage {name} has an output without a digest: {DAMAGED}."
            )
        if (found := digests.of(Path(path))) != noted:
            state = "differs" if found else "is missing"
            raise UserError(
                f"The results here are not those of {DVC_LOCK}: {path} {state}. Run `dvc checkout`, or "
                "`dvc repro` if DVC's cache lacks it, as in a fresh clone or after another study."
            )


def _stages(study: Study) -> Iterator[str]:
    """Yield the names of the stages, as DVC writes them."""
    for name, family in study.families.items():
        yield from (f"prepare@{family.data}", f"train@{name}")
        yield from (f"compress@{name}-{recipe}" for recipe in study.compressions)
        yield from (f"export@{name}", f"quantize@{name}")
        yield from (f"benchmark@{name}-{hardware}" for hardware in study.hardware)


def _mapping(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the mapping at a key; empty if there is none."""
    part = values.get(key) or {}
    if not isinstance(part, dict):
        raise UserError(f"{DVC_LOCK} is damaged: {key} is no mapping: {DAMAGED}.")
    return part


def _part(settings: Any, section: str) -> Any:
    for key in section.split("."):
        settings = settings.get(key, {}) if isinstance(settings, dict) else {}
    return settings
