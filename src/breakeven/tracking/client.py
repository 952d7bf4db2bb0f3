"""The client of MLflow: it finds, creates, fills and ends runs.

Results are on disk first: a run is a copy of a record on disk. A tracking server that is down therefore costs
one warning, never a trained model; `breakeven sync` logs the rest later.
"""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from filelock import FileLock

from breakeven.core import paths
from breakeven.core.files import flatten
from breakeven.core.secrets import redact, redact_error
from breakeven.tracking import _mlflow_private, accepted, hidden_tags, views
from breakeven.tracking.address import (
    Unreachable,
    address,
    answering,
    artifact_root,
    is_local,
    require_listener,
)
from breakeven.tracking.origin import is_alive, origin_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, Run

EXPERIMENT = "breakeven"
EXPERIMENT_NOTE = """\
The column `rank` says which variant of each model to DEPLOY.

It counts the variants of a model from the fastest. To deploy is the fastest that surely keeps the limits of
the study; the others say which limit they may exceed.
Speedups are over the same model in eager PyTorch, with an interval from `speedup_ci_low` to
`speedup_ci_high`. A run is named model · compression/precision/runtime.

The menu **Views** has the variants of each study's newest measurement, by model, the fastest first; the
trainings; the studies and sweeps. The run of a study says in its description what to deploy. Nested in it are
a run for each model, and one for each measured variant. Compare variants by `metrics.speedup` where
`hardware`, `batch_size` and `scenario` are the same; the `record.json` of a variant holds every sample.
"""
PARENT_TAG = "mlflow.parentRunId"
NEWEST = "newest"  # tag of a variant: whether no later measurement of its study was logged
# Filters of a run's status. The default finds RUNNING and FINISHED runs. Runs that copy records are found in
# any status.
NOT_INTERRUPTED = " and attributes.status != 'KILLED' and attributes.status != 'FAILED'"
ANY_STATUS = ""
MAX_METRICS, MAX_PARAMS = 900, 100  # in a batch: MLflow accepts a thousand items in all


class Tracker:
    """A client that logs to the experiment in MLflow, and creates the experiment if there is none."""

    def __init__(self) -> None:
        """Connect to the store. If somebody has deleted the experiment, restore it with its runs.

        Raises:
            Unreachable: nobody listens at the address, or the store cannot be used.
        """
        # By default, the first call to a dead server hangs for four minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        self.uri = address()
        self.local = is_local()
        self._locations: dict[str, str] = {}  # run -> path of its artifacts
        self._empty: set[str] = set()  # runs in which nothing was logged yet
        require_listener(self.uri)
        import mlflow  # takes seconds, so only when somebody listens

        _mlflow_private.silence_loggers()
        paths.private().mkdir(parents=True, exist_ok=True)
        # The first parallel use of a fresh SQLite store would corrupt it.
        with FileLock(paths.private() / "mlflow.lock"), answering():
            try:
                self.client: MlflowClient = mlflow.MlflowClient(self.uri)
                self.experiment = self._experiment()
            except (ValueError, ImportError) as error:  # a malformed address, or no driver for its database
                raise Unreachable(redact_error(error)) from None

    @property
    def shown_uri(self) -> str:
        """Return the store's address without credentials."""
        return redact(self.uri)

    def _experiment(self) -> str:
        """Return the id of the experiment; create it, or restore it, if necessary."""
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return self._create()
        number = str(experiment.experiment_id)
        self._save_views(number, experiment.tags)
        if experiment.lifecycle_stage == "deleted":
            try:
                self.client.restore_experiment(number)
            except Exception as error:
                raise Unreachable(
                    f"the experiment {EXPERIMENT} was deleted, and is not restored: {redact_error(error)}: "
                    f"`mlflow experiments restore -x {number}`"
                ) from None
            print(
                f"MLflow: the experiment {EXPERIMENT} was deleted: restored with its runs.", file=sys.stderr
            )
        return number

    def _create(self) -> str:
        # Relative to the folder that the server serves, so that a moved repository keeps its artifacts.
        location = f"mlflow-artifacts:/{EXPERIMENT}" if self.local else None
        # The kind decides which of its two views MLflow's UI shows first.
        tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": EXPERIMENT_NOTE}
        tags |= {view.tag: view.value for view in views.VIEWS}
        return self.client.create_experiment(EXPERIMENT, artifact_location=location, tags=tags)

    def _save_views(self, experiment: str, tags: Mapping[str, str]) -> None:
        """Give the views to an experiment that an earlier version created."""
        from mlflow.exceptions import MlflowException

        with contextlib.suppress(MlflowException):  # a user who may only read can do without them
            for view in views.VIEWS:
                if tags.get(view.tag) != view.value:
                    self.client.set_experiment_tag(experiment, view.tag, view.value)

    def find(self, key: str, status: str = NOT_INTERRUPTED) -> "Run | None":
        """Return the newest run with this key, by default among the runs that were not interrupted.

        Args:
            status: a condition on its status, in MLflow's language.
        """
        for condition in hidden_tags.conditions(hidden_tags.KEY, key):
            runs = self.client.search_runs(
                [self.experiment],
                f"{condition}{status}",
                max_results=1,
                order_by=["attributes.start_time DESC"],
            )
            if runs:
                return runs[0]
        return None

    def children(self, run: str) -> "dict[str, Run]":
        """Return the runs nested in a run, by key. If several have the same key, the newest counts."""
        runs = self.client.search_runs(
            [self.experiment],
            f"tags.`{PARENT_TAG}` = '{run}'",
            max_results=10_000,
            order_by=["attributes.start_time ASC"],
        )
        return {hidden_tags.read(child.data.tags, hidden_tags.KEY): child for child in runs}

    def create(self, name: str, key: str, tags: Mapping[str, Any], at: float | None = None) -> str:
        """Create a run, RUNNING, and return its id.

        Args:
            at: when it was started, seconds since the epoch; by default now.
        """
        given = {
            hidden_tags.name(hidden_tags.KEY): key,
            **{k: v for k, v in tags.items() if v not in (None, "")},
        }
        all_tags = {accepted.name(k): accepted.text(v, accepted.LONGEST_TAG) for k, v in given.items()}
        start_ms = None if at is None else int(1000 * at)
        info = self.client.create_run(self.experiment, start_ms, all_tags, name).info
        run: str = info.run_id
        self._locations[run] = urlparse(info.artifact_uri).path
        self._empty.add(run)
        return run

    def obtain(
        self,
        name: str,
        key: str,
        tags: Mapping[str, Any],
        status: str = NOT_INTERRUPTED,
        at: float | None = None,
    ) -> str:
        """Return the id of the run with this key; create the run if there is none."""
        run = self.find(key, status)
        return run.info.run_id if run else self.create(name, key, {**origin_tags(), **tags}, at)

    def log(
        self, run: str, params: Mapping[str, Any] = {}, figures: Mapping[str, float] = {}, step: int = 0
    ) -> None:
        """Log parameters and one step's figures, in as few writes as possible.

        Names that MLflow refuses are changed (`accepted.name`), and credentials are hidden.

        Args:
            params: nested parameters get dotted names; parameters that were logged before do not change.
        """
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        values = [Metric(accepted.name(k), rounded(v), now, step) for k, v in figures.items()]
        logged = self.client.get_run(run).data.params if params and run not in self._empty else {}
        named = {accepted.name(k): v for k, v in flatten(params).items()}
        new = [
            Param(k, accepted.text(v, accepted.LONGEST_PARAM)) for k, v in named.items() if k not in logged
        ]
        while values or new:
            self._log_batch(run, [*values[:MAX_METRICS], *new[:MAX_PARAMS]])
            values, new = values[MAX_METRICS:], new[MAX_PARAMS:]
        self._empty.discard(run)

    def _log_batch(self, run: str, entries: "Sequence[Metric | Param]") -> None:
        """Log entries in one write. If MLflow refuses one of them, log the others, and print which it is."""
        from mlflow.entities import Metric, Param
        from mlflow.exceptions import MlflowException

        metrics = [entry for entry in entries if isinstance(entry, Metric)]
        params = [entry for entry in entries if isinstance(entry, Param)]
        try:
            self.client.log_batch(run, metrics, params)
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE":
                raise
            if len(entries) == 1:
                reason = redact_error(error).partition("\n")[0][:200]
                print(f"warning: MLflow refuses {entries[0].key}: {reason}", file=sys.stderr)
                return
            half = len(entries) // 2
            self._log_batch(run, entries[:half])
            self._log_batch(run, entries[half:])

    def tag(self, run: str, name: str, value: Any) -> None:
        """Set a tag of a run."""
        self.client.set_tag(run, accepted.name(name), accepted.text(value, accepted.LONGEST_TAG))

    def supersede(self, study: str, machine: str, newest: str) -> None:
        """Mark the variants of a study's earlier measurements on a machine, for lists that leave them out.

        Args:
            newest: the run of the measurement that lies here; its own variants are marked as the newest.
        """
        same = f"tags.study = '{study}' and tags.machine = '{machine}' and tags.{NEWEST} = 'yes'"
        for run in self.client.search_runs([self.experiment], same, max_results=10_000):
            if run.data.tags.get(PARENT_TAG) != newest:
                self.tag(run.info.run_id, NEWEST, "no")

    def retag(self, run: str, tags: Mapping[str, Any]) -> None:
        """Set those tags of a run that have another value, or none."""
        known = self.client.get_run(run).data.tags
        for name, value in tags.items():
            if value and known.get(accepted.name(name)) != accepted.text(value, accepted.LONGEST_TAG):
                self.tag(run, name, value)

    def link(self, run: str, page: str = "") -> str:
        """Return the address of a run, or of one of its pages, within MLflow's UI."""
        return f"#/experiments/{self.experiment}/runs/{run}{page}?{views.MODELS_FACE}"

    def dataset(self, run: str, name: str, digest: str, profile: str) -> None:
        """Link a dataset to a run; a second link changes nothing."""
        from mlflow.entities import Dataset, DatasetInput

        entity = Dataset(
            name=name,
            digest=digest[:36],
            source_type="local",
            source=f"data/prepared/{name}",
            profile=profile,
        )
        self.client.log_inputs(run, datasets=[DatasetInput(entity, [])])

    def artifact(self, run: str, path: Any, folder: str | None = None) -> None:
        """Store a file with a run."""
        if not self.local:
            self.client.log_artifact(run, str(path), folder)
            return
        # Where `mlflow server --artifacts-destination` looks for the run's `mlflow-artifacts:` address.
        if run not in self._locations:
            self._locations[run] = urlparse(self.client.get_run(run).info.artifact_uri).path
        folder_of_run = artifact_root() + self._locations[run]
        _mlflow_private.copy_to_folder(folder_of_run, str(path), folder)

    def end(self, run: str, status: str = "FINISHED", at: float | None = None) -> None:
        """End a run, by default now. A run that ended before keeps its time, unless `at` is given.

        Args:
            at: when it ended, seconds since the epoch.
        """
        info = self.client.get_run(run).info if at is None else None
        ended = info.end_time if info and info.status != "RUNNING" else None
        self.client.set_terminated(run, status, ended if at is None else int(1000 * at))

    def end_dead_runs(self) -> int:
        """End the runs whose process on this machine is gone (kill -9, power cut); return their number.

        Such a run ends when it logged its last figure.
        """
        runs = [
            run
            for condition in hidden_tags.conditions(hidden_tags.HOST, socket.gethostname())
            for run in self.client.search_runs(
                [self.experiment], f"attributes.status = 'RUNNING' and {condition}"
            )
        ]
        dead = [run for run in runs if not is_alive(hidden_tags.read(run.data.tags, hidden_tags.PROCESS))]
        for run in dead:
            last = _mlflow_private.last_logged(run) or run.info.start_time
            self.end(run.info.run_id, "KILLED", at=last / 1000)
        return len(dead)


def rounded(value: float) -> float:
    """Return a figure with four digits: no more mean anything. A whole number keeps all its digits."""
    return float(value) if float(value).is_integer() else float(f"{value:.4g}")
