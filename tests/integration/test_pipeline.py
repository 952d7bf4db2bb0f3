"""The whole pipeline by real DVC, from nothing to a table and to MLflow."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from project import Project, fetched

from breakeven.results.columns import column_names

Reproduced = tuple[Project, str]
pytestmark = pytest.mark.timeout(600)


def client(project: Project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")


def runs(project: Project) -> list:
    found = client(project)
    experiment = found.get_experiment_by_name("breakeven")
    return list(found.search_runs([experiment.experiment_id], max_results=1000))


def test_summary_has_a_row_for_each_variant_and_the_twin(reproduced: Reproduced) -> None:
    with (reproduced[0].folder / "results/summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == column_names()
    assert {row["variant"] for row in rows} == {
        "none/fp32/eager",
        "none/fp32/onnxruntime",
        "none/int8-static/onnxruntime",
        "prune50/fp32/eager",
        "prune50/fp32/onnxruntime",
        "prune50/int8-static/onnxruntime",
        "twin",
    }
    assert {row["verdict"] for row in rows} <= {
        *("baseline", "twin", "faster", "slower", "same", "undecided")
    }


def test_table_is_printed_at_the_end(reproduced: Reproduced) -> None:
    assert "cnn (digits) on cpu1, batch 1" in reproduced[1]
    assert "prune50/int8-static/onnxruntime" in reproduced[1]


def test_pruned_model_is_smaller(reproduced: Reproduced) -> None:
    cards = [
        json.loads((reproduced[0].folder / f"models/cnn/{r}/model.json").read_text())
        for r in ("none", "prune50")
    ]
    assert cards[1]["parameters"] < 0.5 * cards[0]["parameters"]
    assert cards[1]["macs"] < 0.5 * cards[0]["macs"]


def test_second_repro_runs_nothing(reproduced: Reproduced) -> None:
    done = reproduced[0].run("dvc", "repro")
    assert reproduced[0].stages(done.stdout) == set()


def test_metrics_and_plots_show_something(reproduced: Reproduced, tmp_path: Path) -> None:
    metrics = reproduced[0].run("dvc", "metrics", "show", "--json").stdout
    assert "cnn-cpu1-batch1/none/fp32/onnxruntime.json" in metrics
    reproduced[0].run("dvc", "plots", "show", "-o", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    for name in ("speedup", "accuracy", "training"):
        assert f"{name}.svg" in page


def test_mlflow_holds_a_study_with_nested_runs(reproduced: Reproduced) -> None:
    found = runs(reproduced[0])
    kinds = [run.data.tags["kind"] for run in found]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "study": 1,
        "train": 1,
        "compression": 1,
        "benchmark": 7,
    }
    assert {run.info.status for run in found} == {"FINISHED"}
    study = next(run for run in found if run.data.tags["kind"] == "study")
    nested = [run for run in found if run.data.tags.get("mlflow.parentRunId") == study.info.run_id]
    assert len(nested) == 9


def test_training_run_has_curves_dataset_parameters_and_tags(reproduced: Reproduced) -> None:
    train = next(run for run in runs(reproduced[0]) if run.data.tags["kind"] == "train")
    history = client(reproduced[0]).get_metric_history(train.info.run_id, "val/accuracy")
    assert [metric.step for metric in history] == [1, 2]
    assert {"best_val_accuracy", "test_accuracy"} <= {*train.data.metrics}  # of the weights that were kept
    assert train.data.params["train.lr"] == "0.05"
    assert train.inputs.dataset_inputs[0].dataset.name == "digits"
    for tag in (
        "mlflow.source.git.commit",
        "dirty",
        "dvc.stage",
        "mlflow.breakeven.key",
        "mlflow.breakeven.host",
    ):
        assert tag in train.data.tags


def test_sync_fills_an_empty_store_and_twice_is_as_once(project: Project) -> None:
    before = {run.data.tags["mlflow.breakeven.key"] for run in runs(project)}
    (project.folder / "mlflow.db").unlink()
    assert "10 of them new" in project.run("breakeven", "sync").stdout
    assert {run.data.tags["mlflow.breakeven.key"] for run in runs(project)} == before
    assert " 0 of them new" in project.run("breakeven", "sync").stdout
    assert len(runs(project)) == 10


@pytest.mark.slow
def test_moved_repository_keeps_its_artifacts(project: Project, tmp_path: Path) -> None:
    moved = Project(tmp_path / "elsewhere")
    shutil.move(project.folder, moved.folder)
    train = next(run for run in runs(moved) if run.data.tags["kind"] == "train")
    with moved.ui() as address:
        card = fetched(f"{address}/get-artifact?path=model/model.json&run_uuid={train.info.run_id}")
    assert json.loads(card)["family"] == "cnn"
