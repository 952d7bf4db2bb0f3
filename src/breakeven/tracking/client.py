"""Runs in MLflow. Only live.py (work that goes on) and registry.py (models) import it besides.

Files come first: a run is a copy of a record on disk. A tracking server that is down costs one warning,
never a trained model; `breakeven sync` makes up for it.
"""

import contextlib
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse
from urllib.request import urlopen

import psutil
from filelock import FileLock

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import flatten
from breakeven.core.source_digest import here
from breakeven.tracking import _mlflow_private

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "breakeven"
NOTE = """\
Which optimization of a model pays off, on which hardware, at what cost in accuracy.

A **study**'s run has nested in it one a model and one a measured variant, a **sweep**'s one a job (tag
`kind`). Compare variants by `metrics.speedup`, where `hardware`, `batch_size` and `scenario` are the same; a
variant's `record.json` holds every sample.
"""
ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
SQLITE = "sqlite:///"  # and a path
STARTING_S = 60.0  # of a server
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # or it starts seven processes that judge LLMs
KEY, PARENT = "breakeven.key", "mlflow.parentRunId"
WHOLE = " and attributes.status != 'KILLED' and attributes.status != 'FAILED'"  # or RUNNING
ANY = ""  # of a run that copies records: what was interrupted is gone on with
MOST, MOST_PARAMS = 900, 100  # that MLflow takes in a batch: a thousand in all


def address() -> str:
    """The tracking server, or the SQLite store of the main repository, as an absolute address."""
    found = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}mlflow.db"
    # One that is relative would be another store in each folder that a stage runs in.
    return f"{SQLITE}{paths.home() / found.removeprefix(SQLITE)}" if found.startswith(SQLITE) else found


def artifact_root() -> str:
    """Where artifacts lie when the store is the repository's own; `make ui` serves this folder."""
    return str(paths.home() / "mlartifacts")


def is_local() -> bool:
    """Whether the store is the repository's own."""
    return address().startswith("sqlite:")


def server(port: int) -> list[str]:
    """The command that serves the repository's store on this machine only."""
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", address(), "--artifacts-destination", artifact_root(), "--workers", "1"),
    ]


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The address of a server, started for as long as it takes if the store is the repository's own.

    MLflow logs models through a server only, when their files are to be found from any folder.

    Raises:
        Unreachable: it does not start.
    """
    if not is_local():
        yield address()
        return
    Tracker()  # which creates it once
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        server(port),
        env={**os.environ, **QUIET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = {name: os.environ.get(name) for name in ADDRESSES}
    try:
        deadline = time.monotonic() + STARTING_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unreachable("its server does not start: `breakeven ui` says why")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        for name, value in before.items():  # in which MLflow's own functions leave the address of this server
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Unreachable(Exception):
    """The store does not answer."""


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Whatever the store refuses in the block is one kind of error.

    Raises:
        Unreachable: with the first line of its own.
    """
    try:
        yield
    except Unreachable:  # before MLflow was imported, which takes seconds
        raise
    except Exception as error:
        from mlflow.exceptions import MlflowException

        if not isinstance(error, MlflowException):
            raise
        raise Unreachable(str(error).splitlines()[0]) from None


@contextlib.contextmanager
def required() -> Iterator[None]:
    """The same for a command that can do nothing without the store.

    Raises:
        UserError: in a sentence.
    """
    try:
        with answering():
            yield
    except Unreachable as error:
        raise UserError(f"MLflow at {address()} cannot be used ({error}).") from None


class Tracker:
    """The experiment in MLflow, created once."""

    def __init__(self) -> None:
        """Connect.

        Raises:
            Unreachable: nobody listens at the address.
        """
        # By default a dead server hangs the first call for four minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        self.uri = address()
        self.local = is_local()
        self._locations: dict[str, str] = {}  # of runs' artifacts
        self._empty: set[str] = set()  # runs in which nothing was logged yet
        require_listener(self.uri)
        # Importing MLflow takes a second or two: only when there is something to log to.
        import mlflow

        _mlflow_private.silence_loggers()
        paths.private().mkdir(parents=True, exist_ok=True)
        # The first parallel use of a fresh SQLite store would corrupt it.
        with FileLock(paths.private() / "mlflow.lock"), answering():
            self.client: MlflowClient = mlflow.MlflowClient(self.uri)
            found = self.client.get_experiment_by_name(EXPERIMENT)
            self.experiment = found.experiment_id if found else self._create()

    def _create(self) -> str:
        # Relative to whatever folder the server serves, so that a moved repository keeps its artifacts.
        location = f"mlflow-artifacts:/{EXPERIMENT}" if self.local else None
        # The kind decides which of its two faces MLflow's UI shows first.
        tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": NOTE}
        return self.client.create_experiment(EXPERIMENT, artifact_location=location, tags=tags)

    def find(self, key: str, status: str = WHOLE) -> "Run | None":
        """The newest run with this key; by default of those that were not interrupted.

        Args:
            status: what its status is to be, in MLflow's words.
        """
        runs = self.client.search_runs(
            [self.experiment],
            f"tags.`{KEY}` = '{key}'{status}",
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
        return runs[0] if runs else None

    def children(self, run: str) -> "dict[str, Run]":
        """Key -> run, of all that are nested in a run; of several with the same key the newest."""
        found = self.client.search_runs(
            [self.experiment],
            f"tags.`{PARENT}` = '{run}'",
            max_results=10_000,
            order_by=["attributes.start_time ASC"],
        )
        return {child.data.tags.get(KEY, ""): child for child in found}

    def create(self, name: str, key: str, tags: Mapping[str, Any], at: float | None = None) -> str:
        """A new run, RUNNING; returns its id.

        Args:
            at: when it was begun, seconds since the epoch; by default now.
        """
        everything = {KEY: key, **{k: str(v) for k, v in tags.items() if v not in (None, "")}}
        began = None if at is None else int(1000 * at)
        info = self.client.create_run(self.experiment, began, everything, name).info
        run: str = info.run_id
        self._locations[run] = urlparse(info.artifact_uri).path
        self._empty.add(run)
        return run

    def obtain(
        self,
        name: str,
        key: str,
        tags: Mapping[str, Any],
        status: str = WHOLE,
        at: float | None = None,
    ) -> str:
        """The run with this key, made if there is none; returns its id."""
        found = self.find(key, status)
        return found.info.run_id if found else self.create(name, key, {**origin(), **tags}, at)

    def log(
        self, run: str, params: Mapping[str, Any] = {}, figures: Mapping[str, float] = {}, step: int = 0
    ) -> None:
        """Log parameters and one step's figures, in as few writes as it takes.

        Args:
            params: nested ones get dotted names; those that are there already stay.
        """
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        values = [Metric(k, float(v), now, step) for k, v in figures.items()]
        known = self.client.get_run(run).data.params if params and run not in self._empty else {}
        new = [Param(k, str(v)[:6000]) for k, v in flatten(params).items() if k not in known]
        while values or new:
            self.client.log_batch(run, values[:MOST], new[:MOST_PARAMS])
            values, new = values[MOST:], new[MOST_PARAMS:]
        self._empty.discard(run)

    def dataset(self, run: str, name: str, digest: str, profile: str) -> None:
        """Link a dataset to a run; linking it again changes nothing."""
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
        place = artifact_root() + self._locations[run]
        _mlflow_private.copy_to_folder(place, str(path), folder)

    def end(self, run: str, status: str = "FINISHED", at: float | None = None) -> None:
        """End a run; by default now."""
        self.client.set_terminated(run, status, None if at is None else int(1000 * at))

    def reap(self) -> int:
        """End the runs whose process on this machine is gone (kill -9, power cut); returns how many."""
        runs = self.client.search_runs(
            [self.experiment],
            f"attributes.status = 'RUNNING' and tags.`breakeven.host` = '{socket.gethostname()}'",
        )
        dead = [run for run in runs if not _alive(run.data.tags.get("breakeven.process", ""))]
        for run in dead:
            self.end(run.info.run_id, "KILLED")
        return len(dead)


def origin() -> dict[str, Any]:
    """Tags that say where a run comes from."""
    return {
        "breakeven.host": socket.gethostname(),
        "breakeven.process": _process(),
        **here(),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        "dvc.experiment": os.environ.get("DVC_EXP_NAME"),
        "system": platform.platform(terse=True),
    }


def warn(error: Exception) -> None:
    """The one warning of a stage whose store fails."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    print(
        f"warning: MLflow at {address()} cannot be used ({reason[:200]}). Results are kept on disk; "
        f"`breakeven sync` logs them later.",
        file=sys.stderr,
    )


def require_listener(uri: str) -> None:
    """Refuse a server that does not answer, at once.

    Raises:
        Unreachable: nobody listens at the address.
    """
    address = urlparse(uri)
    if address.scheme not in ("http", "https"):
        return
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=3).close()
    except (OSError, ValueError) as error:  # the latter of a port that is no number
        raise Unreachable(f"no answer: {error}") from None


def _process() -> str:
    return f"{os.getpid()}@{psutil.Process().create_time():.0f}"


def _alive(process: str) -> bool:
    number, _, started = process.partition("@")
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(started)) < 2)
    except (psutil.Error, ValueError):
        return False
