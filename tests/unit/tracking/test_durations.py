"""Durations in MLflow are the true ones: no sync and no recommendation moves them."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import rows
from mlflow import MlflowClient

from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
from breakeven.core import paths
from breakeven.results.records import VariantResult
from breakeven.results.result_row import scenario
from breakeven.results.study_results import StudyResults
from breakeven.results.sweep_results import CACHED, DONE, FAILED, JobOutcome, Sweep
from breakeven.tracking import live_run, study_runs, sweep_runs
from breakeven.tracking.client import EXPERIMENT, Tracker

AT = 1_700_000_000.0  # when the first measurement began, seconds since the epoch
REPLICATE = {
    **{"number": 0, "load_s": 1.5, "first_call_ms": 200.0, "warmup_ms": [100.0, 200.0]},
    "blocks": [{"round": n, "calls_ms": [1.0], "wall_ms": 1000.0} for n in range(2)],
}
CARD = ModelManifest(
    family="cnn", recipe="none", title="digits", model={"_target_": "x"}, shape=ImageInput(1, 8, 8, 10),
    mean=[0.5], std=[0.5], parameters=1, macs=1, activations=1, val_score=0.9, test_score=0.9,
    train_s=60.0, made="trained", key="model key", details={"data": "0" * 64, "settings": {"seed": 0}},
    sha256="1" * 64,
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a store of its own."""
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(study_runs, "_dataset", lambda *arguments: None)
    monkeypatch.setattr(study_runs, "key_of", lambda *arguments: "study key")
    monkeypatch.setattr(study_runs, "MODEL_FILES", ())
    return tmp_path


def spans(home: Path) -> dict[str, tuple[float, float]]:
    """Run -> when it began and ended, seconds since `AT`."""
    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment
    return {
        f"{run.data.tags['kind']} {run.data.tags.get('variant') or run.data.tags.get('reason', '')}": (
            run.info.start_time / 1000 - AT,
            run.info.end_time / 1000 - AT,
        )
        for run in client.search_runs([experiment.experiment_id])
    }


def results() -> StudyResults:
    measured = rows.benchmark(
        [rows.BASELINE, rows.TWIN], measured={scenario(rows.BASELINE).title: (AT, 100.0)}, seconds=100.0
    )
    records = [VariantResult(record.row, [REPLICATE, REPLICATE]) for record in measured.records]
    return StudyResults([CARD], [replace(measured, records=records)])


class Study:
    """What `sync` reads of a study."""

    study = "quick"
    families = {"cnn": type("Family", (), {"data": "digits"})}  # noqa: RUF012
    hardware: dict[str, object] = {}  # noqa: RUF012
    recommend = type("Recommend", (), {"model_dump": lambda self: {}})()

    def model_dump(self, **options: object) -> dict[str, object]:
        return {"study": "quick", "seed": 0, "export": {}, "measure": {}}


def test_runs_that_copy_records_last_as_long_as_their_work(home: Path) -> None:
    study_runs.sync(Study(), results())  # type: ignore[arg-type]
    own = 2 * (1.5 + 0.2 + 0.3 + 2.0)
    expected = {
        "study ": (-60.0, 100.0),  # from the first child to the last
        "train ": (-60.0, 0.0),
        "benchmark none/fp32/eager": (0.0, own),
        "benchmark twin": (0.0, own),
    }
    found = spans(home)
    assert {*found} == {*expected}
    for name, span in expected.items():
        assert found[name] == pytest.approx(span, abs=0.01), name
    study_runs.sync(Study(), results())  # type: ignore[arg-type]
    assert spans(home) == found


def test_a_training_that_was_followed_keeps_its_times(home: Path) -> None:
    with live_run.run("train cnn", CARD.key, {"kind": "train"}, {}) as log:
        log({"epoch": 0, "loss": 1.0})
    before = spans(home)["train "]
    time.sleep(0.05)
    study_runs.sync(Study(), results())  # type: ignore[arg-type]
    assert spans(home)["train "] == before


def test_a_training_whose_end_was_lost_lasts_as_long_as_it_took(home: Path) -> None:
    Tracker().create("train cnn", CARD.key, {"kind": "train"}, AT - 500)
    study_runs.sync(Study(), results())  # type: ignore[arg-type]
    assert spans(home)["train "] == pytest.approx((-500.0, -440.0), abs=0.01)


def test_a_run_that_ended_keeps_its_end(home: Path) -> None:
    store = Tracker()
    run = store.create("x", "key", {"kind": "x"}, AT)
    store.end(run, at=AT + 5)
    store.end(run)
    assert spans(home)["x "] == (0.0, 5.0)
    store.client.update_run(run, "RUNNING")  # a training that goes on
    store.end(run)
    assert spans(home)["x "][1] > 6


def test_a_run_whose_process_was_killed_ends_with_its_last_figure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Tracker()
    run = store.create(
        "x", "key", {"kind": "x", **{"breakeven.host": "here", "breakeven.process": "1@1"}}, AT
    )
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    monkeypatch.setattr(time, "time", lambda: AT + 7)
    store.log(run, figures={"loss": 1.0})
    monkeypatch.undo()
    monkeypatch.setattr(paths, "home", lambda: home)
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    assert store.end_dead_runs() == 1
    assert spans(home)["x "] == (0.0, 7.0)


def test_a_sweep_lasts_from_its_first_job_to_its_last(home: Path) -> None:
    jobs = [
        JobOutcome("a", [], FAILED, "a", "10.0", 10.0, AT + 10),
        JobOutcome("b", [], FAILED, "b", "30.0", 30.0, AT + 40),
        JobOutcome("c", [], CACHED, "c", "1.0", 1.0, AT + 9000),
    ]
    sweep = Sweep("little-1", "little", "command", jobs)
    sweep_runs.log(sweep)
    first = spans(home)
    assert first["sweep "] == (0.0, 40.0)
    assert {name: end - start for name, (start, end) in first.items()} == {
        **{
            "sweep ": 40.0,
            "job 10.0": 10.0,
            "job 30.0": 30.0,
            "job its results are not in the store any more": 1.0,
        }
    }
    sweep_runs.log(sweep)
    assert spans(home) == first
    store = Tracker()
    logged = store.find(sweep.name)
    assert logged and "2 of 3 jobs failed: a: 10.0; b: 30.0." in logged.data.tags["mlflow.note.content"]
    assert logged.data.tags["answer"].startswith("2 of 3 jobs failed")
    assert logged.data.tags["mlflow.source.name"] == "breakeven-sweep"


def test_a_job_that_ran_again_lasts_as_long_as_it_did(home: Path) -> None:
    for outcome in (
        JobOutcome("a", [], FAILED, "a", "a reason", 10.0, AT + 10),
        JobOutcome("a", [], FAILED, "a", "another", 20.0, AT + 5000),
    ):
        sweep_runs.log(Sweep("little-1", "little", "command", [outcome]))
    begin, end = spans(home)["job another"]
    assert end - begin == 20.0


def test_records_without_times_are_logged(home: Path) -> None:
    sweep_runs.log(Sweep("little-1", "little", "command", [JobOutcome("a", [], DONE, "a")]))
    # The job's records were pruned
    assert len(spans(home)) == 2
