"""torchvision's LR-ASPP on drawn shapes, by real DVC: the IoU of each image, int8 in three runtimes."""

from pathlib import Path

import pytest
from project import BRIEF, project_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

STUDY = (
    """\
# @package _global_
defaults:
  - /data@datasets.shapes: shapes
  - /family@families.lraspp: own_lraspp
  - override /runtime: [eager, torchscript_frozen, onnxruntime, openvino]
  - override /quantization: [torchscript_static, onnxruntime_static, openvino_static]
  - override /compression: []
study: own_lraspp
datasets: {shapes: {count: 300, size: 64}}
export: {min_agreement: 0.5, calibration_images: 32, builds: 1}
recommend: {max_accuracy_drop: 50}
"""
    + BRIEF
)
FAMILY = """\
defaults:
  - /model@model: lraspp
  - /train@train: sgd
  - /task@task: segmentation
  - _self_
data: shapes
checkpoint: null
train: {epochs: 6, lr: 0.02, batch_size: 16}
"""
QUANTIZED = ("torchscript_frozen", "onnxruntime", "openvino")


def test_every_image_has_its_iou_and_int8_comes_from_three_toolchains(tmp_path: Path) -> None:
    files = {"conf/study/own_lraspp.yaml": STUDY, "conf/family/own_lraspp.yaml": FAMILY}
    project = project_with(tmp_path / "project", files)
    project.run("breakeven", "compose", "study=own_lraspp")
    printed = project.run("dvc", "repro").stdout
    rows = project.rows()
    assert {row["metric"] for row in rows.values()} == {"iou"}
    assert float(rows["none/fp32/eager"]["score"]) > 0.3, printed
    for runtime in QUANTIZED:
        row = rows[f"none/int8-static/{runtime}"]
        assert row["speedup"] or row["verdict"] == "wrong", (
            runtime,
            row["reason"],
        )  # `wrong` is an answer, too
        assert row["score_delta_ci_low"] or row["verdict"] == "wrong"
    exact = rows["none/fp32/onnxruntime"]
    assert float(exact["score_delta"]) == pytest.approx(0, abs=2e-3)
