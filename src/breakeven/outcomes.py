"""What the jobs of sweeps have come to: their records in the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from breakeven import paths, result, store
from breakeven.errors import UserError
from breakeven.files import read_json
from breakeven.result import Benchmark

LOG, STUDY = "log.txt", "study.json"


def benchmarks_of(key: str) -> list[Benchmark]:
    """The benchmarks of the job with this key, one a hardware.

    Raises:
        UserError: they were pruned from the store, are damaged, or are of another version of Breakeven.
    """
    files = _benchmarks(_kept(key))
    try:
        return [result.read(path) for path in files]
    except UserError:
        raise UserError("its results are of another version of Breakeven") from None


def settings_of(key: str, failed: bool = False) -> dict[str, Any]:
    """The study that the job was; of one that failed, empty if it did not come so far."""
    if not failed:
        return of_one_family(read_json(_kept(key) / STUDY))
    begun = paths.begun(key) / paths.PARAMS
    return of_one_family(yaml.safe_load(begun.read_text(encoding="utf-8"))) if begun.is_file() else {}


def of_one_family(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A job's settings, with its family and dataset under the names that a sweep has for them."""
    rest = {key: value for key, value in settings.items() if key not in ("families", "datasets")}
    ((called, family),), ((_, data),) = settings["families"].items(), settings["datasets"].items()
    return {**rest, "called": called, "family": family, "data": data}


def files_of(key: str, failed: bool = False) -> list[Path]:
    """The files that show a job: its benchmarks, and what it printed; of one that failed, just that."""
    if failed:
        return [path for path in [paths.begun(key) / LOG] if path.is_file()]
    folder = _kept(key)
    return [*_benchmarks(folder), folder / LOG]


def _benchmarks(folder: Path) -> list[Path]:
    return sorted((folder / paths.BENCHMARKS).glob("*.json"))


def _kept(key: str) -> Path:
    """The folder of its files, once they were found to be what was kept."""
    if not (entry := store.get("job", key)):
        raise UserError("its results are not in the store any more")
    if not entry.whole:
        raise UserError("its results were changed after they were written")
    entry.touch()
    return entry.folder / store.FILES
