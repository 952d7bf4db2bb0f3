"""A detector with the user's own weights and score, by real DVC: as far as each runtime goes."""

import sys
from pathlib import Path

import pytest
from project import BRIEF, project_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

OWN = '''\
"""A user's own detector: torchvision's SSDlite, without its post-processing."""

import numpy as np
import torch
from torch import nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

SIDE = 96


def ssdlite():
    return ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=2)


class Heads(nn.Module):
    """Gives the classes and the boxes of all anchors."""

    def __init__(self):
        super().__init__()
        self.net = ssdlite()

    def forward(self, images):
        return self.net.head(list(self.net.backbone(images).values()))


def squares(count=240):
    """Noise with one bright square each; the target is its box."""
    random = np.random.default_rng(0)
    samples = []
    for _ in range(count):
        image = random.random((3, SIDE, SIDE), np.float32) - 0.5
        side = int(random.integers(24, 64))
        x, y = random.integers(0, SIDE - side, 2)
        image[:, y : y + side, x : x + side] += 2
        samples.append((image, np.array([x, y, x + side, y + side], np.float32)))
    return samples


def anchors():
    net = ssdlite()
    images = torch.zeros(1, 3, SIDE, SIDE)
    features = list(net.eval().backbone(images).values())
    return net, net.anchor_generator(ImageList(images, [(SIDE, SIDE)]), features)[0]


def found(outputs, targets):
    """The overlap of the surest box of each image with the true one."""
    boxes, classes = outputs
    net, grid = anchors()
    surest = classes[:, :, 1].argmax(axis=1)
    chosen = torch.from_numpy(boxes[np.arange(len(boxes)), surest])
    decoded = net.box_coder.decode_single(chosen, grid[torch.from_numpy(surest)])
    return box_iou(decoded, torch.from_numpy(targets)).diagonal().nan_to_num().numpy()


def train(steps=200):
    torch.manual_seed(0)
    model = Heads().train()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.1  # torchvision's 0.03 is for longer trainings
    _, grid = anchors()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    images, boxes = map(np.stack, zip(*squares()))
    for step in range(steps):
        chosen = np.random.default_rng(step).integers(0, len(images), 16)
        label = torch.ones(1, dtype=torch.int64)
        truth = [{"boxes": torch.from_numpy(boxes[n : n + 1]), "labels": label} for n in chosen]
        matched = [model.net.proposal_matcher(box_iou(one["boxes"], grid)) for one in truth]
        outputs = model(torch.from_numpy(images[chosen]))
        loss = sum(model.net.compute_loss(truth, outputs, [grid] * 16, matched).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(model.state_dict(), "detector.pt")


if __name__ == "__main__":
    train()
'''
STUDY = (
    """\
# @package _global_
defaults:
  - /data@datasets.squares: python
  - /family@families.detector: detector
  - override /runtime: [eager, torchscript_frozen, onnxruntime, openvino, executorch]
  - override /quantization: [onnxruntime_static, openvino_static]
  - override /compression: []
study: detector
datasets:
  squares: {title: squares, train: "my_detector:squares"}
export: {min_agreement: 0.5, calibration_images: 32, builds: 1}
recommend: {max_accuracy_drop: 50}
"""
    + BRIEF
)
FAMILY = """\
defaults:
  - /task@task: custom
  - _self_
data: squares
checkpoint: detector.pt
train: null
model: {_target_: my_detector.Heads, _inputs_: {}, _output_: [bbox_regression, cls_logits]}
task: {metric: overlap, better: higher, unit: "%", score: "my_detector:found", shape: [312, 4]}
"""


def test_a_detector_goes_as_far_as_each_runtime_does(tmp_path: Path) -> None:
    files = {
        "my_detector.py": OWN,
        "conf/study/detector.yaml": STUDY,
        "conf/family/detector.yaml": FAMILY,
    }
    project = project_with(tmp_path / "project", files)
    project.run(sys.executable, "my_detector.py")
    project.run("breakeven", "compose", "study=detector")
    printed = project.run("dvc", "repro").stdout
    rows = project.rows()
    timed = {name for name, row in rows.items() if row["speedup"]}
    assert {"none/fp32/torchscript_frozen", "none/fp32/onnxruntime", "none/fp32/openvino"} <= timed, printed
    assert all(row["reason"] for name, row in rows.items() if name not in timed and name != "none/fp32/eager")
    assert {row["metric"] for row in rows.values()} == {"overlap"}
    assert float(rows["none/fp32/onnxruntime"]["score_delta"]) == pytest.approx(0, abs=0.01)
