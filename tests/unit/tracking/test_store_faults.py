"""A store that was deleted from, upgraded, damaged or filled up gets a remedy that works."""

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from mlflow import MlflowClient
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import create_engine

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.tracking import address, live_run
from breakeven.tracking.client import EXPERIMENT, Tracker
from breakeven.tracking.remedies import diagnose

pytestmark = pytest.mark.timeout(300)
SQL, API = "(sqlite3.OperationalError)", "API request to endpoint /x failed with error code"
URI = "sqlite:////here/mlflow.db"
# In a new process, since MLflow checks a database once a process: what `required` says of the store
CONNECT = """
import sys
from pathlib import Path
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.tracking import address, client
paths.home = lambda: Path(sys.argv[1])
try:
    with address.required():
        client.Tracker()
except UserError as error:
    print(error)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a store of its own."""
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def told(home: Path, **environment: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    words = [sys.executable, "-c", CONNECT, str(home)]
    done = subprocess.run(words, env={**clean, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_deleted_experiment_is_restored_with_its_runs(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = Tracker()
    run = store.create("x", "key", {})
    store.client.delete_experiment(store.experiment)
    again = Tracker()
    assert again.experiment == store.experiment and again.create("y", "another", {})
    found = again.find("key")
    assert found and found.info.run_id == run
    assert capfd.readouterr().err == "MLflow: the experiment breakeven was deleted: restored with its runs.\n"


def test_an_experiment_that_cannot_be_restored_says_how(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Tracker()
    store.client.delete_experiment(store.experiment)

    def refuse(client: MlflowClient, number: str) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(MlflowClient, "restore_experiment", refuse)
    with (
        pytest.raises(UserError, match=r"was deleted, .* `mlflow experiments restore -x 1`"),
        address.required(),
    ):
        Tracker()


def write_older_store(database: Path) -> None:
    """A store as the MLflow made it that had all migrations of the installed one but the last."""
    engine = create_engine(f"sqlite:///{database}")
    config = _get_alembic_config(str(engine.url))
    newest = ScriptDirectory.from_config(config).get_revision("head")
    assert newest and isinstance(newest.down_revision, str)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, newest.down_revision)
    engine.dispose()


@pytest.mark.slow
def test_the_remedy_for_a_store_of_an_older_mlflow_works(home: Path) -> None:
    database = home / "mlflow.db"
    write_older_store(database)  # MLflow upgrades it by itself where a table is missing, but not else
    with closing(sqlite3.connect(database)) as store, store:
        (older,) = store.execute("SELECT version_num FROM alembic_version").fetchone()
    fault = diagnose(
        f"Detected out-of-date database schema (found version {older}, but", f"sqlite:///{database}"
    )
    assert fault.cause == "an older MLflow made its database"
    remedy = fault.remedy.partition("`")[2].partition("`")[0]
    assert remedy == f"mlflow db upgrade sqlite:///{database}"
    subprocess.run([sys.executable, "-m", *remedy.split()], check=True, capture_output=True)
    with closing(sqlite3.connect(database)) as store, store:
        assert store.execute("SELECT version_num FROM alembic_version").fetchone() != (older,)
    assert told(home) == ""


def test_the_remedy_for_a_store_elsewhere_shows_no_password() -> None:
    message = "Detected out-of-date database schema (found version bd07f7e963c5, but expected dc11669786a5)."
    fault = diagnose(message, "postgresql://me:hidden@db/mlflow")
    assert fault.remedy == 'copy it, then run `mlflow db upgrade "$MLFLOW_TRACKING_URI"`'


@pytest.mark.slow
def test_a_store_of_a_newer_mlflow_is_told(home: Path) -> None:
    Tracker()
    with closing(sqlite3.connect(home / "mlflow.db")) as store, store:
        store.execute("UPDATE alembic_version SET version_num = 'ffff00001111'")
    assert "a newer MLflow has changed its database): install that version: pip install -U mlflow" in told(
        home
    )


def test_a_damaged_store_is_told(home: Path) -> None:
    (home / "mlflow.db").write_bytes(b"garbage" * 1000)
    said = told(home)
    assert "its database is damaged" in said and f"move {home}/mlflow.db away" in said


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        ("postgresql://me:hidden@127.0.0.1:9/db", "pip install psycopg"),
        ("http://me:hid/hidden@host:5000", "its address is malformed"),
        ("me:hidden@server:5000", "MLFLOW_TRACKING_URI should be http://HOST:PORT"),
        ("nosuch://me:hidden@server:5000", "MLFLOW_TRACKING_URI should be http://HOST:PORT"),
        ("http://me:hidden@127.0.0.1:9", "it does not answer"),
    ],
)
def test_a_wrong_address_is_a_sentence_without_its_password(home: Path, uri: str, cause: str) -> None:
    said = told(home, MLFLOW_TRACKING_URI=uri)
    assert cause in said and "hid" not in said and "***" in said


def full() -> str:
    """What SQLite says of a full disk."""
    with closing(sqlite3.connect(":memory:")) as store:
        store.execute("PRAGMA max_page_count = 1")
        try:
            store.execute("CREATE TABLE a (b)")
        except sqlite3.OperationalError as error:
            return str(error)
    raise AssertionError("it is not full")


@pytest.mark.parametrize(
    ("message", "cause", "remedy"),
    [
        (f"{SQL} {full()}\n[SQL: INSERT", "its disk is full", "free some space there"),
        (str(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))), "its disk is full", "free some space there"),
        (str(OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))), "its disk is full", "free some space there"),
        (f"{SQL} attempt to write a readonly database", "its files cannot be written", "/here/mlflow.db"),
        (str(PermissionError(errno.EACCES, "Permission denied", "/x")), "cannot be written", "writable"),
        (f"{SQL} database is locked", "another program holds its database", "end that program"),
        (f"{API} 401 != 200.", "it asks for a user", "MLFLOW_TRACKING_USERNAME"),
        (f"{API} 403 != 200.", "may not do this", "permission"),
        ("something new\nand more", "something new", ""),
    ],
)
def test_a_known_fault_has_a_cause_and_a_remedy(message: str, cause: str, remedy: str) -> None:
    fault = diagnose(message, URI)
    assert cause in fault.cause and remedy in fault.remedy and bool(remedy) == bool(fault.remedy)


def test_a_full_store_costs_a_stage_one_warning_with_its_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(client: MlflowClient, *arguments: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(MlflowClient, "log_batch", refuse)
    with live_run.run("x", "key", {}, {"a": 1}) as log:
        log({"epoch": 0, "loss": 1.0})
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(
        "cannot be used (its disk is full): free some space there. Results are kept on disk; "
        "`breakeven sync` logs them later."
    )
    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert run.info.status == "FINISHED"  # it does not stay RUNNING


def test_a_key_that_mlflow_refuses_loses_nothing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    params = {"model": {"_target_": "mine.Net", "widths": {"conv@1": 16, "conv#1": 32}}, "train": {"lr": 0.1}}
    with live_run.run("train mine", "key", {"kind": "train"}, params) as log:
        log({"epoch": 0, "loss/@": 1.0})
    store = Tracker()
    run = store.find("key")
    assert run and run.info.status == "FINISHED" and capfd.readouterr().err == ""
    assert run.data.params["train.lr"] == "0.1" and sorted(run.data.params.values()) == [
        "0.1",
        "16",
        "32",
        "mine.Net",
    ]
    assert [*run.data.metrics.values()] == [1.0]


def test_one_value_that_mlflow_refuses_does_not_lose_the_others(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = Tracker()
    run = store.create("x", "key", {})
    store.client.log_param(run, "c", "before")  # a parameter's value never changes in MLflow
    store.log(run, {name: name for name in "abcdefg"}, {"loss": 1.0})
    data = store.client.get_run(run).data
    assert data.params == {**{name: name for name in "abdefg"}, "c": "before"} and data.metrics == {
        "loss": 1.0
    }
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: MLflow refuses c: ")


def test_what_is_stored_holds_no_credentials(home: Path) -> None:
    store = Tracker()
    run = store.create("x", "key", {"command": "breakeven-sweep a=http://me:hidden@host"})
    store.log(run, {"model": {"url": "http://me:hidden@host/w"}})
    store.tag(run, "reason", "no answer from http://me:hidden@host")
    assert "hidden" not in str(store.client.get_run(run).to_dictionary())
