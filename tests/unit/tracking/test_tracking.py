"""MLflow: a store that is down costs a warning, and parallel first use loses nothing."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from mlflow import MlflowClient
from project import Project
from rows import row

from breakeven.core import paths
from breakeven.tracking import address, client, live_run, views
from breakeven.tracking.server import served
from breakeven.tracking.study_runs import TAG_COLUMNS, figures_of

pytestmark = pytest.mark.timeout(300)
DEAD = "http://127.0.0.1:9"  # the discard port: nobody listens


@pytest.mark.slow
def test_an_unreachable_server_costs_one_warning_a_stage_and_sync_makes_up_for_it(project: Project) -> None:
    project.run(
        "breakeven", "compose", "study=tiny", "seed=9", "runtime=[eager]", "quantization=[]", "compression=[]"
    )
    # MLflow alone would retry for four minutes a stage, which is the timeout of this test.
    done = project.run("dvc", "repro", MLFLOW_TRACKING_URI=DEAD)
    everything = {"check_params", "train@cnn", "export@cnn", "quantize@cnn"}
    assert project.stages(done.stdout) == everything | {"benchmark@cnn-cpu1", "report"}
    told = "warning: MLflow at http://127.0.0.1:9 cannot be used"
    assert done.stderr.count(told) == 2  # train, report
    assert "none/fp32/eager" in done.stdout
    assert '"seed": 9' in (project.folder / "models/cnn/none/model.json").read_text()
    failed = project.run("breakeven", "sync", check=False, MLFLOW_TRACKING_URI=DEAD)
    assert failed.returncode == 1 and "does not answer" in failed.stderr and "Traceback" not in failed.stderr
    # the study, the model, and this in eager mode, with the twin
    assert "4 of them new" in project.run("breakeven", "sync").stdout


@pytest.mark.slow
def test_parallel_first_use_of_a_fresh_store_loses_nothing(tmp_path: object) -> None:
    code = (
        "import sys, time; from breakeven.tracking import live_run\n"
        "with live_run.run(f'run {sys.argv[1]}', sys.argv[1], {'kind': 'test'}, {'a': 1}, 0.05) as log:\n"
        "    [log({'epoch': i, 'loss': i}) for i in range(3)]\n"
        "    time.sleep(3)"
    )
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(number)],
            cwd=str(tmp_path),
            stderr=subprocess.PIPE,
            env=Project(paths.Path(str(tmp_path))).environment(PYTHONPATH=str(paths.Path("src").resolve())),
        )
        for number in range(4)
    ]
    warnings = [job.communicate()[1].decode() for job in jobs]
    assert warnings == [""] * 4
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("breakeven")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 4 and {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.data.metrics["loss"] == 2 for run in runs)
    # Each sampled how busy the machine was, beside the others.
    assert all("system/cpu_utilization_percentage" in run.data.metrics for run in runs)


@pytest.fixture
def home(tmp_path: paths.Path, monkeypatch: pytest.MonkeyPatch) -> paths.Path:
    """A repository with a store of its own."""
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def runs_of(home: paths.Path) -> list:
    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    return list(client.search_runs([client.get_experiment_by_name("breakeven").experiment_id]))


def steps_of(home: paths.Path, run: str, figure: str) -> list[int]:
    return [seen.step for seen in MlflowClient(f"sqlite:///{home}/mlflow.db").get_metric_history(run, figure)]


def sampled(home: paths.Path) -> list[str]:
    """What the newest run has sampled of the machine."""
    return [name for name in runs_of(home)[0].data.metrics if name.startswith("system/")]


def wait_for(look) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_resumed_run_goes_on_where_it_was(home: paths.Path) -> None:
    cpu = "system/cpu_utilization_percentage"
    with pytest.raises(KeyboardInterrupt), live_run.run("x", "key", {}, {}, 0.05) as log:
        log({"epoch": 0, "loss": 3.0})
        log({"epoch": 1, "loss": 2.0})
        wait_for(lambda: len(steps_of(home, runs_of(home)[0].info.run_id, cpu)) >= 2)
        raise KeyboardInterrupt
    (run,) = runs_of(home)
    before = len(steps_of(home, run.info.run_id, cpu))
    with live_run.run("x", "key", {}, {}, 0.05) as log:
        log({"epoch": 2, "loss": 1.0})
        wait_for(lambda: len(steps_of(home, run.info.run_id, cpu)) > before)
    assert [run.info.run_id for run in runs_of(home)] == [run.info.run_id]
    assert steps_of(home, run.info.run_id, "loss") == [1, 2, 3]
    steps = steps_of(home, run.info.run_id, cpu)
    assert steps == list(range(len(steps))) and len(steps) > before


def test_how_busy_the_machine_is_has_mlflows_names(home: paths.Path) -> None:
    with live_run.run("x", "key", {}, {}, 0.05):
        wait_for(lambda: sampled(home))
    names = {name.removeprefix("system/") for name in sampled(home)}
    assert {"cpu_utilization_percentage", "system_memory_usage_megabytes", "disk_usage_percentage"} <= names
    assert "network_receive_megabytes" in names
    assert "system metrics" not in [thread.name for thread in threading.enumerate()]


def test_a_run_that_ends_before_the_first_sample_has_none(home: paths.Path, capfd) -> None:  # type: ignore[no-untyped-def]
    with live_run.run("x", "key", {}, {}) as log:
        log({"epoch": 0, "loss": 1.0})
    assert sampled(home) == [] and live_run.SAMPLED_EVERY_S >= 10
    assert capfd.readouterr().err == ""  # also where there is no GPU, or no package for it


def test_whoever_wants_no_samples_gets_none(home: paths.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    with live_run.run("x", "key", {}, {}, 0.01):
        time.sleep(0.3)
    assert sampled(home) == []


def test_a_store_that_breaks_while_a_run_is_live_costs_one_warning(home: paths.Path, capfd) -> None:  # type: ignore[no-untyped-def]
    with live_run.run("x", "key", {}, {}, 0.05) as log:
        wait_for(lambda: sampled(home))
        with closing(sqlite3.connect(home / "mlflow.db")) as store, store:
            store.execute("DROP TABLE metrics")
        wait_for(lambda: "system metrics" not in [thread.name for thread in threading.enumerate()])
        for epoch in range(3):
            log({"epoch": epoch, "loss": 1.0})
    told = capfd.readouterr().err
    assert told.startswith("warning: MLflow at ") and len(told.splitlines()) == 1


@pytest.mark.slow
def test_a_server_that_dies_while_a_run_is_live_costs_one_warning(
    home: paths.Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd,  # type: ignore[no-untyped-def]
) -> None:
    with contextlib.ExitStack() as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.enter_context(served()))
        with live_run.run("x", "key", {}, {}, 0.2) as log:
            wait_for(lambda: sampled(home))
            server.close()
            for epoch in range(3):
                log({"epoch": epoch, "loss": 1.0})
    told = capfd.readouterr().err
    assert told.startswith("warning: MLflow at ") and len(told.splitlines()) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_run_does_not_stay_running(error: type[BaseException], home: paths.Path) -> None:
    with pytest.raises(error), live_run.run("x", "key", {"kind": "test"}, {}):
        raise error
    (run,) = runs_of(home)
    assert run.info.status == ("FAILED" if error is ValueError else "KILLED")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:///runs.db", "sqlite:////project/runs.db"),  # in whatever folder a stage runs
        ("sqlite:////all/runs.db", "sqlite:////all/runs.db"),
        ("http://server:5000", "http://server:5000"),
    ],
)
def test_the_store_is_the_same_from_every_folder(
    given: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "home", lambda: paths.Path("/project"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert address.address() == expected


def test_a_port_that_is_none_is_a_malformed_address() -> None:
    with pytest.raises(address.Unreachable, match="its address is malformed"):
        address.require_listener("http://server:abc")


def test_a_copy_of_records_goes_on_in_the_run_that_was_interrupted(home: paths.Path) -> None:
    store = client.Tracker()
    first = store.obtain("sweep x", "a key", {"kind": "sweep"}, client.ANY_STATUS)
    store.end(first, "KILLED")
    assert store.obtain("sweep x", "a key", {"kind": "sweep"}, client.ANY_STATUS) == first
    assert store.obtain("train x", "a key", {"kind": "train"}) != first


def test_variants_of_an_earlier_measurement_on_this_machine_are_no_longer_the_newest(
    home: paths.Path,
) -> None:
    store = client.Tracker()
    runs = {}
    for name, machine, parent in (("old", "a", "1"), ("new", "a", "2"), ("elsewhere", "b", "3")):
        tags = {"kind": "benchmark", "study": "quick", "machine": machine, "variant": name}
        runs[name] = store.create(name, name, {**tags, client.NEWEST: "yes", client.PARENT_TAG: parent})
    store.supersede("quick", "a", "2")
    marks = {name: store.client.get_run(run).data.tags[client.NEWEST] for name, run in runs.items()}
    assert marks == {"old": "no", "new": "yes", "elsewhere": "yes"}
    found = store.client.search_runs([store.experiment], views.VARIANTS.condition)
    assert {run.info.run_id for run in found} == {runs["new"], runs["elsewhere"]}


def test_break_even_calls_are_a_metric_where_they_are_a_number() -> None:
    known = row("none/fp32/onnxruntime", breakeven_calls="100", breakeven_calls_high="never")
    figures = figures_of(known)
    assert figures["breakeven_calls"] == 100.0 and "breakeven_calls_high" not in figures
    assert "breakeven_calls" in TAG_COLUMNS


def test_a_queued_experiment_finds_the_main_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: paths.Path
) -> None:
    worktree = tmp_path / "repo/.dvc/tmp/exps/tmpabc"
    worktree.mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(worktree))
    paths.home.cache_clear()
    try:
        assert paths.home() == tmp_path / "repo"
    finally:
        paths.home.cache_clear()
