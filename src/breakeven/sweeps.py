"""The record of a sweep: which jobs it had, how each ended, and the run in MLflow that shows them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from breakeven import jobs, paths, tracking
from breakeven.errors import UserError
from breakeven.files import fingerprint, read_json, write_json
from breakeven.jobs import FAILED, Outcome
from breakeven.option import choice
from breakeven.tracking import PARENT, Store


@dataclass(frozen=True)
class Sweep:
    """All jobs that one command asked for."""

    name: str
    study: str
    command: str
    jobs: list[Outcome]

    def known(self) -> list[Outcome]:
        """The jobs that have records."""
        return [outcome for outcome in self.jobs if outcome.status != FAILED]


def folder() -> Path:
    """Of all records of sweeps."""
    return paths.private() / "sweeps"


def write(study: str, command: str, outcomes: Sequence[Outcome]) -> Sweep:
    """Write the record; the same jobs are the same sweep."""
    name = f"{study}-{fingerprint(sorted(outcome.key for outcome in outcomes))[:8]}"
    sweep = Sweep(name, study, command, list(outcomes))
    write_json(folder() / f"{name}.json", asdict(sweep))
    return sweep


def read(name: str = "") -> Sweep:
    """The sweep of that name, or the newest one of that study; by default the newest.

    Raises:
        UserError: there is none.
    """
    found = sorted(folder().glob("*.json"), key=lambda path: -path.stat().st_mtime)
    for path in found:
        values = read_json(path)
        if name in ("", values["name"], values["study"]):
            return Sweep(**{**values, "jobs": [Outcome(**outcome) for outcome in values["jobs"]]})
    if not found:
        raise UserError("There is no sweep here yet: run `breakeven-sweep`.")
    known = dict.fromkeys(path.stem.rpartition("-")[0] for path in found)
    raise UserError(f"{name}: {choice(name, [*known, *(path.stem for path in found)])}")


def every() -> list[Sweep]:
    """All that there are."""
    return [read(path.stem) for path in folder().glob("*.json")]


def log(sweep: Sweep) -> None:
    """Log a sweep to MLflow: a run for it, and nested in it one a job; twice is as once.

    A store that does not answer costs a warning.
    """
    try:
        _log(Store(), sweep)
    except Exception as error:
        tracking.warn(error)


def attach(sweep: Sweep, files: Sequence[Path]) -> None:
    """Store files with the run of a sweep."""
    try:
        store = Store()
        _log(store, sweep)
        if found := store.find(sweep.name):
            for path in files:
                store.artifact(found.info.run_id, path, "analysis")
    except Exception as error:
        tracking.warn(error)


def _log(store: Store, sweep: Sweep) -> None:
    store.reap()
    parent = store.obtain(f"sweep {sweep.name}", sweep.name, {"kind": "sweep", "study": sweep.study})
    store.client.set_tag(parent, "command", sweep.command)
    logged = set(store.children(parent))
    for outcome in sweep.jobs:
        key = fingerprint(sweep.name, outcome.key)
        if outcome.status == FAILED or key not in logged:
            _job(store, sweep, outcome, parent, key)
    store.end(parent)


def _job(store: Store, sweep: Sweep, outcome: Outcome, parent: str, key: str) -> None:
    tags = {
        "kind": "job",
        "study": sweep.study,
        "status": outcome.status,
        "command": f"breakeven-sweep {' '.join(outcome.overrides)}",
        "job": outcome.key,
        PARENT: parent,
    }
    run = store.obtain(outcome.title, key, tags)
    if outcome.status == FAILED:
        store.client.set_tag(run, "reason", outcome.reason[:4000])
        store.end(run, "FAILED")
        return
    study, found = jobs.records_of(outcome.key)
    store.params(run, study.model_dump())
    for path in jobs.files_of(outcome.key):
        store.artifact(run, path)
    for benchmark in found.benchmarks:
        for record in benchmark.records:
            row = record.row
            figures = {"latency_ms": row.latency_ms_p50, "speedup": row.speedup, "accuracy": row.accuracy}
            place = f"{row.hardware}/batch{row.batch_size}/{row.variant}"
            store.metrics(run, {f"{k}/{place}": v for k, v in figures.items() if v is not None})
    store.end(run)
