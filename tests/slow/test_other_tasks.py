"""Regression, segmentation and a score of the user's own, by real DVC: as a user types it."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from mlflow import MlflowClient
from project import BRIEF, Project, copy_project

Study = tuple[Project, list[dict], str]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

STUDY = (
    """\
# @package _global_
defaults:
  - /data@datasets.diabetes: diabetes
  - /data@datasets.shapes: shapes
  - /family@families.mlp: mlp
  - /data@datasets.digits: digits
  - /family@families.segmenter: segmenter
  - /family@families.embedder: embedder
  - override /runtime: [eager, torchscript_frozen, onnxruntime, openvino]
  - override /quantization: [onnxruntime_static]
study: others
datasets: {shapes: {count: 200, size: 16}}
families:
  mlp: {train: {epochs: 30}}
  segmenter: {model: {width: 8}, train: {epochs: 3}}
  embedder: {model: {width: 8}, train: {epochs: 4}}
export: {min_agreement: 0.5, calibration_images: 32, builds: 1}
recommend: {max_accuracy_drop: 50, max_score_loss: 50}
"""
    + BRIEF
)
OWN = """
import numpy as np

def near(outputs, targets):
    return (np.abs(outputs[:, 0] - targets) <= 0.5 * np.abs(targets)).astype(float)

def loss(outputs, targets):
    return (outputs[:, 0] - targets).square().mean()
"""
FAMILY = """\
defaults:
  - mlp
  - override /task@task: custom
  - _self_
task: {metric: near, better: higher, unit: "%", score: "my_score:near", train_loss: "my_score:loss"}
"""


@pytest.fixture(scope="session")
def study(common_folder: Path) -> Study:
    """The study after `dvc repro`, its rows, and what that printed."""
    folder, printed = common_folder / "others", common_folder / "others.txt"
    with FileLock(common_folder / "others.lock"):
        if not printed.exists():
            folder.mkdir()
            project = copy_project(folder)
            (folder / "conf/study/others.yaml").write_text(STUDY)
            project.run("breakeven", "compose", "study=others")
            printed.write_text(project.run("dvc", "repro").stdout)
    with (folder / "results/summary.csv").open() as file:
        return Project(folder), list(csv.DictReader(file)), printed.read_text()


def of(rows: list[dict], family: str) -> dict[str, dict]:
    return {row["variant"]: row for row in rows if row["family"] == family}


@pytest.mark.parametrize(
    ("family", "metric", "better"),
    [
        ("mlp", "absolute_error", "lower"),
        ("segmenter", "iou", "higher"),
        ("embedder", "recall_at_1", "higher"),
    ],
)
def test_every_row_has_the_task_s_score_and_its_change(
    study: Study, family: str, metric: str, better: str
) -> None:
    rows = of(study[1], family)
    assert {(row["metric"], row["metric_better"]) for row in rows.values()} == {(metric, better)}
    assert {row["accuracy"] for row in rows.values()} == {""}
    timed = {name: row for name, row in rows.items() if row["speedup"]}
    assert len(timed) >= 8, [(name, row["verdict"], row["reason"]) for name, row in rows.items()]
    base = float(rows["none/fp32/eager"]["score"])
    for name, row in timed.items():
        change = float(row["score"]) - base
        assert float(row["score_delta"]) == pytest.approx(change, abs=2e-4 * max(1, base)), name
        assert float(row["score_delta_ci_low"]) <= change + 1e-3 and row["score_p_value"], name
    exact = rows["none/fp32/onnxruntime"]
    assert float(exact["score_delta"]) == pytest.approx(0, abs=1e-3)


def test_what_was_learned_is_better_than_the_simplest_answer(
    study: Study,
) -> None:
    assert float(of(study[1], "mlp")["none/fp32/eager"]["score"]) < 60  # always the median: 66
    assert "has learned nothing" not in study[2]


def test_the_answer_names_the_metric(study: Study) -> None:
    assert "absolute error" in study[2] and "IoU" in study[2] and "recall@1" in study[2]
    page = (study[0].folder / "results/report.html").read_text()
    assert "Absolute error against latency" in page and "IoU against latency" in page
    metrics = json.loads(
        (study[0].folder / "results/metrics/mlp-cpu1-batch1/none/fp32/eager.json").read_text()
    )
    assert [*metrics] == ["absolute_error", "latency_ms_p50", "speedup", "within_limits"]


def test_mlflow_has_the_scores(study: Study) -> None:
    client = MlflowClient(f"sqlite:///{study[0].folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("breakeven")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.kind = 'benchmark'")
    assert {run.data.tags["metric"] for run in runs} == {"absolute_error", "iou", "recall_at_1"}
    assert all("score" in run.data.metrics for run in runs if "speedup" in run.data.metrics)
    trained = client.search_runs([experiment.experiment_id], "tags.kind = 'train'")
    assert {name for run in trained for name in run.data.metrics if name.startswith("val/")} == {
        "val/absolute_error",
        "val/iou",
        "val/recall_at_1",
        "val/loss",
    }


def test_a_score_of_the_user_s_own_scores_again_after_an_edit(study: Study, tmp_path: Path) -> None:
    shutil.copytree(study[0].folder, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    (project.folder / "my_score.py").write_text(OWN)
    (project.folder / "conf/family/own.yaml").write_text(FAMILY)
    only = STUDY.replace("/family@families.mlp: mlp", "/family@families.mlp: own").replace("others", "own")
    only = re.sub(r".*(shapes|segmenter|embedder|digits).*\n", "", only)
    (project.folder / "conf/study/own.yaml").write_text(only)
    project.run("breakeven", "compose", "study=own")
    project.run("dvc", "repro", "export@mlp")
    scores = _scores(project.folder)
    assert scores["none/fp32/eager"] == pytest.approx(scores["none/fp32/onnxruntime"], abs=0.02)
    module = project.folder / "my_score.py"
    module.write_text(module.read_text().replace("0.5 *", "100 *"))
    project.run("dvc", "repro", "export@mlp")
    assert set(_scores(project.folder).values()) == {1.0}


def _scores(folder: Path) -> dict[str, float]:
    cards = [json.loads(path.read_text()) for path in folder.glob("artifacts/export/mlp/*/artifact.json")]
    assert {card["task"]["metric"] for card in cards} == {"near"}
    return {f"{card['recipe']}/{card['precision']}/{card['runtime']}": card["score"] for card in cards}
