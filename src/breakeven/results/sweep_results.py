"""The records of sweeps: the jobs of each sweep, and how each job ended."""

import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict

from breakeven.core import cache, paths
from breakeven.core.cache_cleanup import DAY_S
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.core.plugin import did_you_mean
from breakeven.core.secrets import redact
from breakeven.results.record_check import CHECKED, require_valid

DONE, CACHED, FAILED = "done", "cached", "failed"


@dataclass(frozen=True)
class JobOutcome:
    """The outcome of a job."""

    __pydantic_config__: ClassVar[ConfigDict] = CHECKED

    title: str
    overrides: list[str]
    status: str  # "done", "cached", "failed"
    key: str  # of its records in the cache
    reason: str = ""  # why it failed, or which of its results should be measured again
    seconds: float = 0.0
    ended: float = 0.0  # when, seconds since the epoch; 0 in old records

    @property
    def version(self) -> str:
        """Return the version of the job's records; empty if there are none."""
        return "" if self.status == FAILED else cache.version("job", self.key)


@dataclass(frozen=True)
class Sweep:
    """The jobs that one command asked for, with their outcomes."""

    __pydantic_config__: ClassVar[ConfigDict] = CHECKED

    name: str
    study: str
    command: str
    jobs: list[JobOutcome]
    recommend: dict[str, Any] = field(default_factory=dict)  # the limits on the command line
    growing_runtime: str | None = None  # the study asks whether this runtime's speedup grows with the model

    def known(self) -> list[JobOutcome]:
        """Return the jobs that ended with records."""
        return [outcome for outcome in self.jobs if outcome.status != FAILED]

    def failed(self) -> list[JobOutcome]:
        """Return the jobs that failed."""
        return [outcome for outcome in self.jobs if outcome.status == FAILED]

    @property
    def version(self) -> str:
        """Return a fingerprint that changes if and only if the content of a page on the sweep may change."""
        jobs = [(outcome.title, outcome.key, outcome.reason, outcome.version) for outcome in self.jobs]
        return fingerprint(self.name, self.study, self.command, jobs)


def folder() -> Path:
    """Return the folder of the records of all sweeps."""
    return paths.private() / "sweeps"


def write_sweep(
    study: str,
    command: str,
    outcomes: Sequence[JobOutcome],
    recommend: dict[str, Any],
    growing_runtime: str | None = None,
) -> Sweep:
    """Write the record of a sweep. A sweep of the same study and jobs replaces the earlier record."""
    name = f"{study}-{fingerprint(sorted(outcome.key for outcome in outcomes))[:8]}"
    plain = [replace(outcome, reason=redact(outcome.reason)) for outcome in outcomes]
    sweep = Sweep(name, study, redact(command), plain, recommend, growing_runtime)
    write_json(folder() / f"{name}.json", asdict(sweep))
    return sweep


def read_sweep(name: str = "") -> Sweep:
    """Return the newest sweep whose own name or whose study is `name`.

    Without a name, return the newest sweep that has results here, or else the newest.

    Raises:
        UserError: there is no such sweep.
    """
    sweeps = sorted(every(), key=lambda sweep: not name and not any(job.version for job in sweep.jobs))
    for sweep in sweeps:
        if name in ("", sweep.name, sweep.study):
            return sweep
    if not sweeps:
        raise UserError("There is no sweep here yet: run `breakeven-sweep study=NAME`.")
    studies = dict.fromkeys(sweep.study for sweep in sweeps)
    raise UserError(f"{name}: {did_you_mean(name, [*studies, *(sweep.name for sweep in sweeps)])}")


def every() -> list[Sweep]:
    """Return all sweeps, the newest first. Print a warning for a record that cannot be read, and skip it."""
    files = sorted(folder().glob("*.json"), key=lambda path: -path.stat().st_mtime)
    return [sweep for path in files if (sweep := _read(path))]


def newest() -> list[Sweep]:
    """Return one sweep for each study, sorted by study: the newest that has results here, else the newest."""
    sweeps_by_study: dict[str, Sweep] = {}
    for sweep in sorted(every(), key=lambda sweep: not any(outcome.version for outcome in sweep.jobs)):
        sweeps_by_study.setdefault(sweep.study, sweep)
    return [sweeps_by_study[study] for study in sorted(sweeps_by_study)]


def without_results(gone: Collection[tuple[str, str]], days: float) -> list[Path]:
    """Return the files of sweeps that nobody wrote for `days` days, and of whose jobs no results are left.

    Args:
        gone: kind and digest of cache entries that count as removed.
        days: the age from which a record counts.
    """
    return [
        path
        for path in sorted(folder().glob("*.json"))
        if time.time() - path.stat().st_mtime >= DAY_S * days
        and (sweep := _read(path))
        and not any(outcome.version and ("job", outcome.key) not in gone for outcome in sweep.jobs)
    ]


def _read(path: Path) -> Sweep | None:
    try:
        values: dict[str, Any] = read_json(path)
        sweep = Sweep(**{**values, "jobs": [JobOutcome(**outcome) for outcome in values["jobs"]]})
        require_valid(path, sweep)
        return sweep
    except (UserError, AttributeError, KeyError, TypeError):
        print(f"{path} is damaged, and left out: delete it; its sweep, run again, writes it", file=sys.stderr)
        return None
