"""The stages whose outputs hold a row that failed: the next `dvc repro` runs them again."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from breakeven.artifacts import artifact
from breakeven.artifacts.model_manifest import MANIFEST
from breakeven.artifacts.variants import read_variants
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.engine.samples import FAILED, OK
from breakeven.results.records import read_benchmark

ATTEMPT = "attempt"  # the key beside the digests of a stage's source: how often a row has failed in it


def failed_stages(study: Study) -> Iterator[str]:
    """Yield `STAGE/INSTANCE` for each stage in whose output a row failed.

    A row fails in one stage, and the later stages only repeat the reason: they are not yielded for it.
    """
    for family in study.families:
        for recipe in study.compressions:
            if _record_failed(paths.model(family, recipe) / MANIFEST):
                yield f"compress/{family}-{recipe}"
        for stage in ("export", "quantize"):
            if any(_artifact_failed(each) for each in paths.artifacts(stage, family).glob("*")):
                yield f"{stage}/{family}"
        if any(map(_record_failed, paths.served(family).glob("*.json"))):
            yield f"serve/{family}"
        for hardware in study.hardware:
            if _measurement_failed(family, hardware):
                yield f"benchmark/{family}-{hardware}"
            if _record_failed(paths.profile(family, hardware) / paths.PROFILE_FILE):
                yield f"profile/{family}-{hardware}"
            if _record_failed(paths.explained(family, hardware)):
                yield f"explain/{family}-{hardware}"


def attempts(study: Study) -> dict[str, int]:
    """Return `STAGE/INSTANCE` -> how often it was to be run again because a row failed, now included."""
    failed = {*failed_stages(study)}
    folder = paths.FETCHED / "code"
    before = {f"{path.relative_to(folder).with_suffix('')}": path for path in folder.rglob("*.json")}
    found = {}
    for stage in failed | before.keys():
        count = int(stage in failed)
        with contextlib.suppress(UserError, KeyError, TypeError, ValueError):  # a damaged file counts nothing
            count += int(read_json(before[stage])[ATTEMPT])
        if count:
            found[stage] = count
    return found


def _record_failed(file: Path) -> bool:
    with contextlib.suppress(UserError, AttributeError):  # a damaged file: its stage runs again anyway
        return bool(read_json(file).get("failed"))
    return False


def _artifact_failed(folder: Path) -> bool:
    with contextlib.suppress(UserError):
        card = artifact.read(folder)
        return card.status == FAILED and not _record_failed(paths.model(card.family, card.recipe) / MANIFEST)
    return False


def _measurement_failed(family: str, hardware: str) -> bool:
    path = paths.benchmark(family, hardware)
    with contextlib.suppress(UserError, OSError):
        if f'"{FAILED}"'.encode() not in path.read_bytes():  # checking megabytes of records takes time
            return False
        built = {variant for variant, (_, card) in read_variants(family).items() if card.status == OK}
        rows = [record.row for record in read_benchmark(path).records]
        return any(row.verdict == FAILED and row.variant in built for row in rows)
    return False
