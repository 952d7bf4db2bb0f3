"""The run in MLflow that shows a sweep, and in it one a job."""

from collections.abc import Sequence
from pathlib import Path

from breakeven import outcomes, tracking
from breakeven.files import fingerprint
from breakeven.sweeps import FAILED, Outcome, Sweep
from breakeven.tracking import PARENT, Store


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
    store.params(run, outcomes.settings_of(outcome.key))
    for path in outcomes.files_of(outcome.key):
        store.artifact(run, path)
    for benchmark in outcomes.benchmarks_of(outcome.key):
        for record in benchmark.records:
            row = record.row
            figures = {"latency_ms": row.latency_ms_p50, "speedup": row.speedup, "accuracy": row.accuracy}
            place = f"{row.hardware}/batch{row.batch_size}/{row.variant}"
            store.metrics(run, {f"{k}/{place}": v for k, v in figures.items() if v is not None})
    store.end(run)
