"""What the jobs of sweeps have come to: their records in the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from breakeven.core import cache, paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.results import records
from breakeven.results.records import BenchmarkResult

LOG, STUDY = "log.txt", "study.json"


@dataclass(frozen=True)
class JobResults:
    """What there is of a job."""

    settings: dict[str, Any]  # of the study that it was; empty if it did not come so far
    benchmarks: list[BenchmarkResult]  # one a hardware; of a job that failed, none
    files: list[Path]  # that show it


def read_job(key: str) -> JobResults:
    """Those of the job with this key, once they were found to be what was kept.

    Raises:
        UserError: they were pruned from the store, are damaged, or are of another version of Breakeven.
    """
    if not (entry := cache.get("job", key)):
        raise UserError("its results are not in the store any more")
    if not entry.whole:
        raise UserError("its results were changed after they were written")
    entry.touch()
    folder = entry.folder / cache.FILES
    measured = sorted((folder / paths.BENCHMARKS).glob("*.json"))
    try:
        found = [records.read_benchmark(path) for path in measured]
        settings = of_one_family(read_json(folder / STUDY))
    except (UserError, KeyError, ValueError):
        raise UserError("its results are of another version of Breakeven") from None
    return JobResults(settings, found, [*measured, folder / LOG])


def read_unfinished(key: str) -> JobResults:
    """Those of a job that failed: what it was to be, and what it printed, as far as it came."""
    folder = paths.unfinished_job(key)
    study, log = folder / paths.PARAMS, folder / LOG
    settings = of_one_family(yaml.safe_load(study.read_text(encoding="utf-8"))) if study.is_file() else {}
    return JobResults(settings, [], [log] if log.is_file() else [])


def of_one_family(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A job's settings, with its family and dataset under the names that a sweep has for them."""
    rest = {key: value for key, value in settings.items() if key not in ("families", "datasets")}
    ((called, family),), ((_, data),) = settings["families"].items(), settings["datasets"].items()
    return {**rest, "called": called, "family": family, "data": data}
