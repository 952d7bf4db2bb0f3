"""The results of the jobs of sweeps, read from the cache."""

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

LOG_FILE, STUDY_FILE = "log.txt", "study.json"


@dataclass(frozen=True)
class JobResults:
    """The settings, benchmarks and files of a job."""

    settings: dict[str, Any]  # of the job's study; empty if the job failed before it was composed
    benchmarks: list[BenchmarkResult]  # one for each hardware; empty if the job failed
    files: list[Path]  # benchmarks and the log, to store with the job's run


def read_job(key: str) -> JobResults:
    """Return the results of the job with this key, after checking that they are unchanged.

    Raises:
        UserError: the results were pruned or changed, or another version of Breakeven wrote them.
    """
    if not (entry := cache.get("job", key)):
        raise UserError("its results are not in the store any more")
    if not entry.whole:
        raise UserError("its results were changed after they were written")
    entry.touch()
    folder = entry.folder / cache.FILES_FOLDER
    measured = sorted((folder / paths.BENCHMARKS).glob("*.json"))
    try:
        benchmarks = [records.read_benchmark(path) for path in measured]
        settings = of_one_family(read_json(folder / STUDY_FILE))
    except (UserError, KeyError, ValueError):
        raise UserError("its results are of another version of Breakeven") from None
    return JobResults(settings, benchmarks, [*measured, folder / LOG_FILE])


def read_unfinished(key: str) -> JobResults:
    """Return the settings and the log of a failed job, as far as it wrote them."""
    folder = paths.unfinished_job(key)
    study, log = folder / paths.PARAMS, folder / LOG_FILE
    settings = of_one_family(yaml.safe_load(study.read_text(encoding="utf-8"))) if study.is_file() else {}
    return JobResults(settings, [], [log] if log.is_file() else [])


def of_one_family(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's settings with its one family and dataset under the keys `family` and `data`."""
    rest = {key: value for key, value in settings.items() if key not in ("families", "datasets")}
    ((called, family),), ((_, data),) = settings["families"].items(), settings["datasets"].items()
    return {**rest, "called": called, "family": family, "data": data}
