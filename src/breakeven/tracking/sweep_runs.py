"""The log of sweeps in MLflow: a run for each sweep and, nested in it, one for each job."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.artifacts.artifact import BASELINE
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.results import job_results, sweep_analysis, sweep_answer
from breakeven.results.limits import Limits
from breakeven.results.records import BenchmarkResult
from breakeven.results.sweep_results import CACHED, FAILED, JobOutcome, Sweep
from breakeven.tracking import hidden_tags
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, PARENT_TAG, Tracker
from breakeven.tracking.origin import origin_tags

if TYPE_CHECKING:
    from mlflow.entities import Run


def log(sweep: Sweep) -> None:
    """Log a sweep to MLflow: a run for the sweep and, nested in it, one for each job. Safe to repeat.

    If MLflow does not answer, print a warning.
    """
    try:
        write(Tracker(), sweep)
    except Exception as error:
        warn(error)


def attach(sweep: Sweep, files: Sequence[Path]) -> None:
    """Store files with the run of a sweep."""
    try:
        store = Tracker()
        write(store, sweep)
        if run := store.find(sweep.name, ANY_STATUS):
            for path in files:
                store.artifact(run.info.run_id, path, "analysis")
    except Exception as error:
        warn(error)


def write(store: Tracker, sweep: Sweep) -> None:
    """Log a sweep to this store. Errors of the store are raised to the caller."""
    store.end_dead_runs()
    tags = {"kind": "sweep", "study": sweep.study}
    began, ended = _span(sweep)
    parent = store.obtain(
        f"sweep {sweep.name}", sweep.name, {**origin_tags("breakeven-sweep"), **tags}, ANY_STATUS, began
    )
    store.tag(parent, "command", sweep.command)
    _describe(store, parent, sweep)
    logged = store.children(parent)
    for outcome in {outcome.key: outcome for outcome in sweep.jobs}.values():
        key = fingerprint(sweep.name, outcome.key)
        run = logged.get(key)
        if not run or _logged_end(run) != _end(outcome) or _is_old(run, outcome):
            _job(store, sweep, outcome, parent, key, run)
    store.end(parent, at=ended)


def _describe(store: Tracker, run: str, sweep: Sweep) -> None:
    """Say in the description of a sweep's run what the sweep shows."""
    described = hidden_tags.name("described")
    version = sweep.version
    if store.client.get_run(run).data.tags.get(described) == version:
        return  # reading all its jobs takes time
    said = sweep_answer.sentences(sweep_analysis.collect(sweep, Limits()))
    more = f"Repeat it: `{sweep.command}`\n\nAll tables: `breakeven analyse PAGE.md --sweep {sweep.name}`"
    points = "\n".join(f"- {sentence}" for sentence in said)
    store.tag(run, "mlflow.note.content", f"{points}\n\n{more}")
    store.tag(run, "answer", said[0] if said else "")
    store.tag(run, described, version)


def _span(sweep: Sweep) -> tuple[float | None, float | None]:
    """Return when the first job of a sweep began, and when its last one ended, seconds since the epoch.

    Jobs from the cache do not count, because another command ran them. (None, None) if no time is known.
    """
    run = [outcome for outcome in sweep.jobs if outcome.ended and outcome.status != CACHED]
    if not run:
        return None, None
    return min(outcome.ended - outcome.seconds for outcome in run), max(outcome.ended for outcome in run)


def _logged_end(run: Any) -> tuple[str, str]:
    """Return how the job of a run ended, as it was logged: the run's status, and the reason of a failure."""
    return run.info.status, run.data.tags.get("reason", "")


def _end(outcome: JobOutcome) -> tuple[str, str]:
    """Return how a job ended: its run's status, and the reason of a failure."""
    return "FAILED" if outcome.status == FAILED else "FINISHED", outcome.reason[:4000]


def _is_old(run: Any, outcome: JobOutcome) -> bool:
    """Return whether a job was measured again after it was logged. Pruned records do not count."""
    version = outcome.version
    return bool(version) and run.data.tags.get("version") != version


def _job(store: Tracker, sweep: Sweep, outcome: JobOutcome, parent: str, key: str, run: "Run | None") -> None:
    """Log a job to its existing run, or to a new one."""
    status, reason = _end(outcome)
    ending = {"status": outcome.status, "reason": reason, "version": outcome.version}
    tags = {
        "kind": "job",
        "study": sweep.study,
        "command": shlex.join(["breakeven-sweep", *outcome.overrides]),
        "job": outcome.key,
        PARENT_TAG: parent,
    }
    began = outcome.ended - outcome.seconds if outcome.ended else None
    if run:  # MLflow does not change when a run started
        began = run.info.start_time / 1000
    run_id = (
        run.info.run_id
        if run
        else store.create(outcome.title, key, {**origin_tags("breakeven-sweep"), **tags, **ending}, began)
    )
    try:
        results = (job_results.read_unfinished if outcome.status == FAILED else job_results.read_job)(
            outcome.key
        )
        store.log(run_id, results.settings, _figures(results.benchmarks))
        for path in results.files:
            store.artifact(run_id, path)
    except UserError as error:  # pruned in the meantime: the other jobs are still logged
        status, ending["reason"] = "FAILED", str(error)
    if run or ending["reason"] != reason:
        for tag, value in ending.items():
            store.tag(run_id, tag, value)
    store.end(run_id, status, None if began is None else began + outcome.seconds)


def _figures(benchmarks: Sequence[BenchmarkResult]) -> dict[str, float]:
    """Return the size of a job's model, and the figures of all variants."""
    figures: dict[str, float | None] = {}
    for row in (record.row for benchmark in benchmarks for record in benchmark.records):
        load = f"batch{row.batch_size}" if row.callers == 1 else f"{row.scenario}{row.callers}"
        cell = f"{row.hardware}/{load}/{row.variant}"
        figures |= {f"latency_ms/{cell}": row.latency_ms_p50, f"speedup/{cell}": row.speedup}
        figures[f"{row.metric}/{cell}"] = row.score
        if row.variant == BASELINE:
            figures |= {"params": row.params, "macs": row.macs}
    return {name: value for name, value in figures.items() if value is not None}
