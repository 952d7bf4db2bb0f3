"""The cache of measurements: each scenario of a family on a hardware is measured only once."""

import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace

from breakeven.artifacts.artifact import BASELINE, Artifact
from breakeven.config.study import Study
from breakeven.core import cache, paths
from breakeven.core.cache import CacheKey
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, temporary_folder, write_json
from breakeven.core.source_digest import digests_of, plugin_modules
from breakeven.core.system_info import cores, tuning_variables
from breakeven.engine.samples import OK
from breakeven.engine.settings import Scenario
from breakeven.results import records
from breakeven.results.records import ScenarioResult
from breakeven.results.result_row import ResultRow

MEASUREMENT_FILE = "measurement.json"
AGAIN_VARIABLE = "BREAKEVEN_AGAIN"  # environment variable, Unix time: older measurements are ignored


def key_of(
    study: Study,
    hardware: str,
    scenario: Scenario,
    data: str,
    artifacts: Mapping[str, Artifact],
    controls: Mapping[str, str],
) -> CacheKey:
    """Return the cache key of a measurement: everything that its result depends on.

    The names of the family and the hardware are not part of it.

    Raises:
        UserError: another version of Breakeven made an artifact.

    Args:
        data: the digest of the dataset, whose test images the artifacts classify.
        artifacts: by variant.
        controls: recipe -> the recipe that is its control.
    """
    if old := [name for name, card in artifacts.items() if not card.key]:
        raise UserError(f"{old[0]}: its card is of another version of Breakeven: run `dvc repro`.")
    settings = study.hardware[hardware]
    plugins = plugin_modules("hardware", settings)
    plugins += plugin_modules("runtimes", [card.settings for card in artifacts.values()])
    overridden = study.option("hardware", hardware).environment()
    return CacheKey(
        "measurement",
        {
            "variants": {name: [card.key, card.status] for name, card in artifacts.items()},
            "controls": dict(controls),
            "data": data,
            "hardware": settings,
            "cores": cores(),  # that this process may use; their number decides whether cores are pinned
            "environment": tuning_variables(overridden),
            "scenario": asdict(scenario),
            "budget": asdict(study.measure.budget(study.seed)),
            "machine": read_json(paths.MACHINE),
            "code": digests_of("benchmark", plugins),
        },
    )


def find(
    key: CacheKey, family: str, hardware: str, artifacts: Mapping[str, Artifact]
) -> ScenarioResult | None:
    """Return the cached measurement, relabelled with the caller's family and hardware.

    Return None if there is none, or if it is older than `BREAKEVEN_AGAIN`.
    """
    if not (entry := cache.find(key)):
        return None
    part = records.read_scenario(entry.folder / cache.FILES_FOLDER / MEASUREMENT_FILE)
    if part.at < since():
        return None
    entry.touch()

    def relabelled(row: ResultRow) -> ResultRow:
        card = artifacts.get(row.variant, artifacts[BASELINE])  # the twin is the baseline's artifact
        return replace(
            row,
            family=family,
            hardware=hardware,
            runtime=card.runtime,
            quantization=card.quantization,
            reason=row.reason if card.status == OK else card.reason,
        )

    return replace(part, records=[replace(record, row=relabelled(record.row)) for record in part.records])


def keep(key: CacheKey, title: str, part: ScenarioResult) -> None:
    """Save a measurement in the cache."""
    with temporary_folder() as scratch:
        write_json(scratch / MEASUREMENT_FILE, asdict(part))
        cache.save(key, title, scratch)


def since() -> float:
    """Return the time that `BREAKEVEN_AGAIN` gives, seconds since the epoch; 0 if it is not set.

    Measurements that are older are made again.

    Raises:
        UserError: the variable is not a number, or is a time in the future.
    """
    setting = os.environ.get(AGAIN_VARIABLE, "0")
    try:
        at = float(setting)
    except ValueError:
        at = math.nan
    if not 0 <= at <= time.time():
        raise UserError(
            f"{AGAIN_VARIABLE}={setting}: it should be a time in seconds since 1970, as of `date +%s`."
        )
    return at
