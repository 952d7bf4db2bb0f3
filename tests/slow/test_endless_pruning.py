"""A compression that does not come back costs its own rows, by real DVC."""

from pathlib import Path

import pytest
from project import BRIEF, project_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

OWN = '''\
"""A small Swin, whose windows keep torch-pruning busy for ever, and images for it."""

import numpy as np
from torchvision.models.swin_transformer import SwinTransformer


def small_swin(num_classes):
    return SwinTransformer([4, 4], 24, [2, 2], [3, 6], [4, 4], num_classes=num_classes)


def images(count=120):
    random = np.random.default_rng(0)
    pixels = [random.integers(0, 100, (3, 32, 32)).astype(np.uint8) for _ in range(count)]
    return [(image + 100 * (number % 2), number % 2) for number, image in enumerate(pixels)]
'''
FAMILY = """\
defaults:
  - /train@train: sgd
  - _self_
data: images
checkpoint: null
model: {_target_: my_swin.small_swin, _inputs_: {num_classes: classes}}
train: {epochs: 1, batch_size: 32, flip: false, crop: 0, cutout: 0}
"""
STUDY = """\
# @package _global_
defaults:
  - /data@datasets.images: python
  - /family@families.swin: swin
  - override /runtime: [eager, onnxruntime]
  - override /quantization: []
  - override /compression: [prune50]
study: endless
datasets: {images: {title: images, train: "my_swin:images"}}
export: {builds: 1}
""" + BRIEF.replace("block_ms", "timeout_s: 12, block_ms")


def test_pruning_that_does_not_come_back_is_ended_and_said(tmp_path: Path) -> None:
    files = {
        "my_swin.py": OWN,
        "conf/family/swin.yaml": FAMILY,
        "conf/study/endless.yaml": STUDY,
    }
    project = project_with(tmp_path / "project", files)
    project.run("breakeven", "compose", "study=endless")
    printed = project.run("dvc", "repro").stdout
    rows = project.rows()
    assert rows["none/fp32/onnxruntime"]["speedup"], printed
    for runtime in ("eager", "onnxruntime"):
        pruned = rows[f"prune50/fp32/{runtime}"]
        assert (pruned["verdict"], pruned["speedup"]) in (("failed", ""), ("unsupported", "")), pruned
        assert pruned["reason"], pruned
