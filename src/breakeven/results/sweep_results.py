"""The records of sweeps: which jobs each had, and how each ended."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from breakeven.core import cache, paths
from breakeven.core.errors import UserError
from breakeven.core.files import fingerprint, read_json, write_json
from breakeven.core.plugin import did_you_mean

DONE, CACHED, FAILED = "done", "cached", "failed"


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended."""

    title: str
    overrides: list[str]
    status: str  # "done", "cached", "failed"
    key: str  # of its records in the store
    reason: str = ""  # why it failed, or what of it is to be measured again
    seconds: float = 0.0

    @property
    def version(self) -> str:
        """Of its records; empty if there are none."""
        return "" if self.status == FAILED else cache.version("job", self.key)


@dataclass(frozen=True)
class Sweep:
    """All jobs that one command asked for."""

    name: str
    study: str
    command: str
    jobs: list[JobOutcome]
    recommend: dict[str, Any] = field(default_factory=dict)  # the limits that it was asked with
    growing_runtime: str | None = None  # the study asks whether its gain grows with the model

    def known(self) -> list[JobOutcome]:
        """The jobs that came to an end with records."""
        return [outcome for outcome in self.jobs if outcome.status != FAILED]

    def failed(self) -> list[JobOutcome]:
        """The jobs that did not."""
        return [outcome for outcome in self.jobs if outcome.status == FAILED]

    @property
    def version(self) -> str:
        """What changes with all that can be shown of it, and with nothing else."""
        jobs = [(outcome.title, outcome.key, outcome.reason, outcome.version) for outcome in self.jobs]
        return fingerprint(self.name, self.study, self.command, jobs)


def folder() -> Path:
    """Of all records of sweeps."""
    return paths.private() / "sweeps"


def write_sweep(
    study: str,
    command: str,
    outcomes: Sequence[JobOutcome],
    recommend: dict[str, Any],
    growing_runtime: str | None = None,
) -> Sweep:
    """Write the record; the same jobs are the same sweep."""
    name = f"{study}-{fingerprint(sorted(outcome.key for outcome in outcomes))[:8]}"
    sweep = Sweep(name, study, command, list(outcomes), recommend, growing_runtime)
    write_json(folder() / f"{name}.json", asdict(sweep))
    return sweep


def read_sweep(name: str = "") -> Sweep:
    """The sweep of that name, or the newest one of that study; by default the newest.

    Raises:
        UserError: there is none.
    """
    found = every()
    for sweep in found:
        if name in ("", sweep.name, sweep.study):
            return sweep
    if not found:
        raise UserError("There is no sweep here yet: run `breakeven-sweep`.")
    known = dict.fromkeys(sweep.study for sweep in found)
    raise UserError(f"{name}: {did_you_mean(name, [*known, *(sweep.name for sweep in found)])}")


def every() -> list[Sweep]:
    """All that there are, the newest first; a record that cannot be read is told of and left out."""
    files = sorted(folder().glob("*.json"), key=lambda path: -path.stat().st_mtime)
    return [sweep for path in files if (sweep := _read(path))]


def newest() -> list[Sweep]:
    """Of each study the newest one that has results here, or else the newest; by study."""
    found: dict[str, Sweep] = {}
    for sweep in sorted(every(), key=lambda sweep: not any(outcome.version for outcome in sweep.jobs)):
        found.setdefault(sweep.study, sweep)
    return [found[study] for study in sorted(found)]


def _read(path: Path) -> Sweep | None:
    try:
        values: dict[str, Any] = read_json(path)
        return Sweep(**{**values, "jobs": [JobOutcome(**outcome) for outcome in values["jobs"]]})
    except (UserError, KeyError, TypeError):
        print(f"{path} is damaged, and left out: delete it; its sweep, run again, writes it", file=sys.stderr)
        return None
