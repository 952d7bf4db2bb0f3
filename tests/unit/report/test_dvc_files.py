"""DVC prints a row of three figures for each variant, and pictures that need no network."""

import json
from pathlib import Path

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.report import dvc_files
from breakeven.report.training_charts import training

BEST = row("none/fp32/onnxruntime", speedup=12.9876, latency_ms_p50=0.50004, recommended=True)
INEXACT = row("prune50/fp32/onnxruntime", recommended=False, beyond_limits="its accuracy may drop")
FAILED = row("none/fp32/openvino", "failed", speedup=None, latency_ms_p50=None)
ROWS = [BASELINE, TWIN, BEST, INEXACT, FAILED]


def card(recipe: str, accuracies: list[float]) -> ModelManifest:
    history = [{"epoch": float(n), "val_accuracy": each} for n, each in enumerate(accuracies)]
    fields = dict.fromkeys(ModelManifest.__dataclass_fields__, None) | {"metric": "accuracy", "unit": "%"}
    return ModelManifest(**{**fields, "family": "cnn", "recipe": recipe, "history": history})  # type: ignore[arg-type]


def test_each_variant_has_a_file_of_three_figures_and_the_recommended_one_two(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    dvc_files.write_metrics(tmp_path, ROWS)
    files = {
        str(file.relative_to(tmp_path)): json.loads(file.read_text()) for file in tmp_path.rglob("*.json")
    }
    assert sorted(files) == [
        "DEPLOY/cnn.json",
        "cnn-cpu1-batch1/none/fp32/eager.json",
        "cnn-cpu1-batch1/none/fp32/onnxruntime.json",
        "cnn-cpu1-batch1/prune50/fp32/onnxruntime.json",
        "cnn-cpu1-batch1/twin.json",
    ]
    figures = {"accuracy": 0.9, "latency_ms_p50": 0.5, "speedup": 12.99}  # as the table has them
    assert files["cnn-cpu1-batch1/none/fp32/onnxruntime.json"] == {**figures, "within_limits": "yes"}
    assert files["cnn-cpu1-batch1/prune50/fp32/onnxruntime.json"]["within_limits"] == "may exceed"
    assert "within_limits" not in files["cnn-cpu1-batch1/twin.json"]
    assert files["DEPLOY/cnn.json"] == {
        **figures,
        "within_limits": "yes",
        "deploy": "none/fp32/onnxruntime, 12.99x (12.34 to 13.64)",
    }
    assert not (tmp_path / "gone").exists()  # what an earlier study left


def test_the_training_has_a_line_for_each_model_in_order_of_its_epochs() -> None:
    chart = training([card("none", [0.5, 0.75]), card("prune50", [0.7])])
    assert [(point["model"], point["epoch"], point["score"]) for point in chart.data] == [
        ("cnn/none", 1, 50.0),
        ("cnn/none", 2, 75.0),
        ("cnn/prune50", 1, pytest.approx(70.0)),
    ]


def test_the_pictures_hold_their_text_and_fetch_nothing(tmp_path: Path) -> None:
    dvc_files.write_plots(tmp_path, [benchmark(ROWS)], ROWS, [card("none", [0.5, 0.75])])
    accuracy, curves = ((tmp_path / f"{name}.svg").read_text() for name in ("accuracy", "training"))
    assert "Accuracy against latency: cnn on cpu1" in accuracy and "cnn/none" in curves
    for picture in (accuracy, curves):
        assert "href" not in picture.replace("xmlns:xlink", "") and "<script" not in picture


def test_weights_that_were_not_trained_here_have_a_picture_that_says_so(tmp_path: Path) -> None:
    dvc_files.write_plots(tmp_path, [], [], [])
    assert "nothing was trained here" in (tmp_path / "training.svg").read_text()
    assert "no score is known" in (tmp_path / "accuracy.svg").read_text()
