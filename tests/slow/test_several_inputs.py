"""Models of several inputs and outputs, from the user's own Python, by real DVC: as a user types it."""

import csv
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from project import BRIEF, Project, copy_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

OWN = '''\
"""A user's own module: two models, and their data."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn


class Flat(nn.Module):
    """The price of a flat, from a picture and four facts; it also gives what it saw."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.eyes = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.head = nn.Sequential(nn.Linear(width + 4, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, picture, facts):
        seen = self.eyes(picture)
        return {"seen": seen, "price": self.head(torch.cat([seen, facts], 1))}


def flats(count=400):
    random = np.random.default_rng(0)
    samples = []
    for _ in range(count):
        picture = random.random((1, 8, 8), np.float32) * random.random(dtype=np.float32)
        facts = random.standard_normal(4, np.float32)
        price = 3 * picture.mean() + facts @ np.array([1, -1, 0.5, 0], np.float32)
        samples.append(({"picture": picture, "facts": facts}, np.float32(price)))
    return samples


def tiny_bert(num_classes, vocabulary):
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(BertConfig(
        vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=32, num_labels=num_classes))


class Texts(torch.utils.data.Dataset):
    """Texts of 5 to 16 tokens; the class says whether token 1 is more frequent than token 2."""

    def __init__(self, count=600):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        random = np.random.default_rng(number)
        length = int(random.integers(5, 17))
        words = np.zeros(16, np.int64)
        words[:length] = random.integers(1, 6, length)
        mask = (np.arange(16) < length).astype(np.int64)
        label = int((words == 1).sum() > (words == 2).sum())
        return {"input_ids": words, "attention_mask": mask, "labels": label}
'''

STUDY = (
    """\
# @package _global_
defaults:
  - /data@datasets.flats: python
  - /data@datasets.texts: python
  - /family@families.flat: flat
  - /family@families.bert: bert
  - override /runtime: [eager, torchscript_frozen, onnxruntime, openvino, executorch]
  - override /quantization: [onnxruntime_static, openvino_static]
  - override /compression: [none, prune50]
study: several
datasets:
  flats: {title: flats, train: "my_models:flats"}
  texts: {title: texts, train: "my_models:Texts", vocabulary: 6}
export: {min_agreement: 0.5, calibration_images: 32, builds: 1}
recommend: {max_accuracy_drop: 50, max_score_loss: 50}
"""
    + BRIEF
)
FLAT = """\
defaults:
  - /train@train: sgd
  - /task@task: regression
  - _self_
data: flats
checkpoint: null
model: {_target_: my_models.Flat, _inputs_: {}, _output_: price}
train: {epochs: 20, batch_size: 32, optimizer: adamw, lr: 0.01}
"""
BERT = """\
defaults:
  - /train@train: sgd
  - /task@task: classification
  - _self_
data: texts
checkpoint: null
model:
  _target_: my_models.tiny_bert
  _inputs_: {num_classes: classes, vocabulary: vocabulary}
  _output_: logits
varying:
  length: {least: 3, most: 32, inputs: [input_ids, attention_mask]}
train: {epochs: 6, batch_size: 32, optimizer: adamw, lr: 0.002}
"""


@pytest.fixture(scope="session")
def several(common_folder: Path) -> tuple[Project, dict[str, dict[str, dict]], str]:
    """The study after `dvc repro`, its rows by family and variant, and what that printed."""
    folder, printed = common_folder / "several", common_folder / "several.txt"
    with FileLock(common_folder / "several.lock"):
        if not printed.exists():
            folder.mkdir()
            project = copy_project(folder)
            for name, text in {
                "my_models.py": OWN,
                "conf/study/several.yaml": STUDY,
                "conf/family/flat.yaml": FLAT,
                "conf/family/bert.yaml": BERT,
            }.items():
                (folder / name).write_text(text)
            project.run("breakeven", "compose", "study=several")
            printed.write_text(project.run("dvc", "repro").stdout)
    rows: dict[str, dict[str, dict]] = {"flat": {}, "bert": {}}
    with (folder / "results/summary.csv").open() as file:
        for row in csv.DictReader(file):
            rows[row["family"]][row["variant"]] = row
    return Project(folder), rows, printed.read_text()


@pytest.mark.parametrize(("family", "metric"), [("flat", "absolute_error"), ("bert", "accuracy")])
def test_every_runtime_and_toolchain_takes_several_inputs(
    several: tuple[Project, dict[str, dict[str, dict]], str], family: str, metric: str
) -> None:
    rows = several[1][family]
    assert len(rows) == 5 * 2 + 2 * 2 + 1  # runtimes and toolchains for each recipe, and the twin
    lost = {name: row["reason"] for name, row in rows.items() if not row["speedup"] and "eager" not in name}
    assert not lost
    assert {row["metric"] for row in rows.values()} == {metric}
    exact = rows["none/fp32/onnxruntime"]
    assert float(exact["score_delta"]) == pytest.approx(0, abs=1e-3)


def test_another_output_than_the_scored_one_is_exported_and_compared(
    several: tuple[Project, dict[str, dict[str, dict]], str],
) -> None:
    import onnxruntime

    folder = several[0].folder / "artifacts/export/flat/none--fp32--onnxruntime"
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    given = {
        "picture": np.zeros((3, 1, 8, 8), np.float32),
        "facts": np.zeros((3, 4), np.float32),
    }
    price, seen = session.run(None, given)
    assert price.shape == (3, 1) and seen.shape == (3, 16)


def test_the_texts_of_every_artifact_may_have_another_length(
    several: tuple[Project, dict[str, dict[str, dict]], str],
) -> None:
    import onnxruntime

    project = several[0]
    folder = project.folder / "artifacts/export/bert/none--fp32--onnxruntime"
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    names = [given.name for given in session.get_inputs()]
    for length in (3, 7, 32):
        given = {name: np.ones((2, length), np.int64) for name in names}
        (logits,) = session.run(None, given)
        assert logits.shape == (2, 2)
    for runtime in ("onnxruntime", "openvino", "executorch", "torchscript_frozen"):
        said = project.run("breakeven", "why", f"none/fp32/{runtime}", "--family", "bert").stdout
        assert "sizes of inputs: length 3 to 32, checked at both ends: " in " ".join(said.split()), said


def test_the_report_says_how_to_call_it(several: tuple[Project, dict[str, dict[str, dict]], str]) -> None:
    assert "your picture, facts" in (several[0].folder / "results/report.html").read_text()
