"""The run in MLflow that shows a sweep, and in it one a job."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from breakeven.artifacts.artifact import BASELINE
from breakeven.core.errors import UserError
from breakeven.core.files import fingerprint
from breakeven.results import job_results
from breakeven.results.records import BenchmarkResult
from breakeven.results.sweep_results import FAILED, JobOutcome, Sweep
from breakeven.tracking import client
from breakeven.tracking.client import ANY, PARENT, Tracker, origin


def log(sweep: Sweep) -> None:
    """Log a sweep to MLflow: a run for it, and nested in it one a job; twice is as once.

    A store that does not answer costs a warning.
    """
    try:
        write(Tracker(), sweep)
    except Exception as error:
        client.warn(error)


def attach(sweep: Sweep, files: Sequence[Path]) -> None:
    """Store files with the run of a sweep."""
    try:
        store = Tracker()
        write(store, sweep)
        if found := store.find(sweep.name, ANY):
            for path in files:
                store.artifact(found.info.run_id, path, "analysis")
    except Exception as error:
        client.warn(error)


def write(store: Tracker, sweep: Sweep) -> None:
    """The same to this store, whatever it answers."""
    store.reap()
    parent = store.obtain(f"sweep {sweep.name}", sweep.name, {"kind": "sweep", "study": sweep.study}, ANY)
    store.client.set_tag(parent, "command", sweep.command)
    logged = store.children(parent)
    for outcome in {outcome.key: outcome for outcome in sweep.jobs}.values():
        key = fingerprint(sweep.name, outcome.key)
        known = logged.get(key)
        if not known or _ended(known) != _end(outcome) or _is_old(known, outcome):
            _job(store, sweep, outcome, parent, key, known.info.run_id if known else None)
    store.end(parent)


def _ended(run: Any) -> tuple[str, str]:
    """How the job of a run ended, as far as it was logged: the run's status, and the reason of a failure."""
    return run.info.status, run.data.tags.get("reason", "")


def _end(outcome: JobOutcome) -> tuple[str, str]:
    """What that is to be."""
    return "FAILED" if outcome.status == FAILED else "FINISHED", outcome.reason[:4000]


def _is_old(run: Any, outcome: JobOutcome) -> bool:
    """Whether a job was measured again since its run; what was pruned since was not."""
    version = outcome.version
    return bool(version) and run.data.tags.get("version") != version


def _job(store: Tracker, sweep: Sweep, outcome: JobOutcome, parent: str, key: str, run: str | None) -> None:
    """Log a job to its run, or to a new one: a job that failed, or was done before, has one run."""
    status, reason = _end(outcome)
    ending = {"status": outcome.status, "reason": reason, "version": outcome.version}
    tags = {
        "kind": "job",
        "study": sweep.study,
        "command": shlex.join(["breakeven-sweep", *outcome.overrides]),
        "job": outcome.key,
        PARENT: parent,
    }
    made = run or store.create(outcome.title, key, {**origin(), **tags, **ending})
    try:
        found = (job_results.read_unfinished if outcome.status == FAILED else job_results.read_job)(
            outcome.key
        )
        store.log(made, found.settings, _figures(found.benchmarks))
        for path in found.files:
            store.artifact(made, path)
    except UserError as error:  # pruned since: the other jobs are logged none the less
        status, ending["reason"] = "FAILED", str(error)
    if run or ending["reason"] != reason:
        for tag, value in ending.items():
            store.client.set_tag(made, tag, value)
    store.end(made, status)


def _figures(benchmarks: Sequence[BenchmarkResult]) -> dict[str, float]:
    """How large a job's model is, and the figures of all variants."""
    figures: dict[str, float | None] = {}
    for row in (record.row for benchmark in benchmarks for record in benchmark.records):
        load = f"batch{row.batch_size}" if row.callers == 1 else f"{row.scenario}{row.callers}"
        place = f"{row.hardware}/{load}/{row.variant}"
        figures |= {f"latency_ms/{place}": row.latency_ms_p50, f"speedup/{place}": row.speedup}
        figures[f"accuracy/{place}"] = row.accuracy
        if row.variant == BASELINE:
            figures |= {"params": row.params, "macs": row.macs}
    return {name: value for name, value in figures.items() if value is not None}
