"""A project of the user's own, outside of the checkout, with the built wheel: `init`, `new`, `dvc repro`."""

import csv
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from built_wheel import build, install
from PIL import Image
from sklearn.datasets import load_digits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MODEL = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, in_channels, num_classes, width=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1, stride=2), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, num_classes))

    def forward(self, x):
        return self.net(x)
"""
MINUTES = 10  # beyond the installation, on two cores


class Typed:
    """Types commands in a project, with the programs of an environment."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder

    def __call__(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DVC_"))}
        own["PATH"] = f"{self.programs}{os.pathsep}{own['PATH']}"
        done = subprocess.run(command, cwd=self.folder, env=own, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return install(build(folder), folder / "environment")


@pytest.fixture(scope="module")
def typed(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Typed:
    """An empty project with the user's model and images in it."""
    folder = tmp_path_factory.mktemp("own")
    typed = Typed(programs, folder)
    print(typed("breakeven", "init").stdout)
    (folder / "my_model.py").write_text(MODEL)
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = folder / "photos/train" / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15.9).astype(np.uint8)).save(place / f"{number}.png")
    return typed


def code(typed: Typed, stage: str) -> dict[str, str]:
    digests: dict[str, str] = json.loads((typed.folder / f"data/fetched/code/{stage}.json").read_text())
    return digests


def test_from_nothing_to_an_answer_in_ten_minutes(typed: Typed) -> None:
    began = time.monotonic()
    said = typed(
        "breakeven",
        "new",
        "mine",
        "--model",
        "my_model:Net",
        "--data",
        "photos",
        "--limit",
        "2",
        "--epochs",
        "3",
    ).stdout
    for line in said.split("Next:")[1].strip().splitlines():
        typed(*line.split())
    minutes = (time.monotonic() - began) / 60
    print(f"{minutes:.1f} minutes")
    assert minutes <= MINUTES  # the bar of a promise to users, with twice what it takes
    with (typed.folder / "results/summary.csv").open() as file:
        rows = {row["variant"]: row for row in csv.DictReader(file)}
    assert len(rows) >= 10 and float(rows["none/fp32/onnxruntime"]["accuracy"]) > 0.2
    assert "my_model" in code(typed, "train/mine") and "breakeven.pipeline.fit_model" in code(
        typed, "train/mine"
    )
    assert all(code(typed, "train/mine").values())
    assert "none/" in typed("breakeven", "recommend", "--no-register").stdout


def test_nothing_runs_again_until_something_changes(typed: Typed) -> None:
    again = typed("dvc", "repro").stdout
    assert "Running stage 'train" not in again and "Running stage 'benchmark" not in again
    model = typed.folder / "my_model.py"
    model.write_text(model.read_text().replace("width=16", "width=8"))
    assert "train@mine" in typed("dvc", "repro", "--dry").stdout.replace("'", "")


def test_a_file_that_takes_the_place_of_a_packaged_option_is_told(typed: Typed) -> None:
    (typed.folder / "conf/model").mkdir(exist_ok=True)
    own = typed.folder / "conf/model/cnn.yaml"
    own.write_text("_target_: my_model.Net\n")
    done = typed("breakeven", "compose", "study=mine")
    assert "conf/model/cnn.yaml takes the place of the package's option of that name" in done.stderr
    own.unlink()


def test_suggestions_know_the_packaged_options(typed: Typed) -> None:
    done = typed("breakeven", "compose", "study=mine", "runtime=[eager,onnxruntme]", check=False)
    assert done.returncode == 1 and "did you mean 'onnxruntime'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_project_is_brought_to_another_version(typed: Typed) -> None:
    stages = typed.folder / "dvc.yaml"
    written = stages.read_text()
    stages.write_text(written.replace("always_changed: true", "always_changed: false"))
    done = typed("breakeven", "init", "--update", check=False)
    assert done.returncode == 1 and "was edited, and stays as it is" in done.stderr
    stages.write_text(written)
    assert "Next: dvc repro" in typed("breakeven", "init", "--update").stdout
    assert stages.read_text() == written
