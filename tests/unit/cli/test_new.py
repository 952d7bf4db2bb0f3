"""`breakeven new`: from what a user says of a model to option files that were tried."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
import yaml
from PIL import Image

from breakeven.cli.main import main
from breakeven.config.compose import compose
from breakeven.core import paths

OWN = """
import numpy as np
from torch import nn

class Net(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(in_channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                 nn.Linear(4, num_classes))
    def forward(self, x):
        return self.net(x)

class Several(Net):
    def forward(self, x):
        return {"logits": self.net(x), "mean": x.mean((2, 3))}

class Line(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.line = nn.Linear(in_features, 1)
    def forward(self, x):
        return self.line(x)

class Broken(Net):
    def forward(self, x):
        return self.net(x).squeeze()[0]

def images():
    return [(np.full((3, 8, 8), n % 2, np.float32), n % 2) for n in range(40)]

def few():
    return images()[:3]

def words():
    return "some words"

def generated():
    yield from images()

def squares(outputs, targets):
    return (outputs[:, 0] - targets).square().mean()

def near(outputs, targets):
    return np.abs(outputs[:, 0] - targets) <= 50
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as `breakeven init` makes it, with a user's own module, images and table."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "my_model.py").write_text(OWN)
    for number in range(24):
        file = tmp_path / f"my photos/train/{number % 2}/{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9, 3), 10 * number, np.uint8)).save(file)
    rows = "\n".join(f"{n},{n * n},{3 * n}" for n in range(40))
    (tmp_path / "houses.csv").write_text(f"size,rooms,price\n{rows}\n")
    monkeypatch.chdir(tmp_path)
    paths.home.cache_clear()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_model", raising=False)
    yield tmp_path
    paths.home.cache_clear()


def written(project: Path, group: str = "family", name: str = "mine") -> dict:
    settings: dict = yaml.safe_load((project / f"conf/{group}/{name}.yaml").read_text())
    return settings


GOOD = {
    "a class of one's own": ["--model", "my_model:Net", "--data", "my photos"],
    "an architecture of torchvision": ["--model", "resnet18", "--data", "my photos", "--size", "32"],
    "one of timm": ["--model", "resnet10t", "--data", "my photos", "--size", "32"],
    "what the package brings": ["--model", "cnn", "--data", "digits"],
    "data from a generator": ["--model", "my_model:Net", "--data", "my_model:generated"],
    "data of one's own code": ["--model", "my_model:Net", "--data", "my_model:images"],
    "a table": [
        "--model",
        "my_model:Line",
        "--data",
        "houses.csv",
        "--target",
        "price",
        "--task",
        "regression",
    ],
    "one of several outputs": ["--model", "my_model:Several", "--data", "my photos", "--output", "logits"],
    "a score of one's own": [
        *("--model", "my_model:Line", "--data", "houses.csv", "--target", "price"),
        *("--score", "my_model:near", "--metric", "near", "--loss", "my_model:squares"),
    ],
}


@pytest.mark.parametrize("kind", GOOD)
def test_the_files_are_written_and_tried(
    project: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = GOOD[kind]
    code = main(["new", "mine", *options, "--limit", "2"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out.endswith("Next:\n  breakeven compose study=mine\n  dvc repro\n")
    assert "parameters" in said.out and "score: " in said.out
    assert written(project, "study")["recommend"]
    assert main(["compose", "study=mine"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("folder", ["pic #1", "a: b", "${x}", "[c]"])
def test_any_path_is_kept_as_it_is(project: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "my photos").rename(project / folder)
    assert main(["new", "mine", "--model", "my_model:Net", "--data", folder]) == 0, capsys.readouterr().err
    composed = yaml.safe_load(compose(["study=mine"]))
    assert composed["datasets"]["mine"]["path"] == folder


BAD = {
    "an option that would be dropped": (
        ["--model", "cnn", "--data", "digits", "--size", "64"],
        "--size: does not go with a packaged dataset",
    ),
    "two scores": (
        [
            *(
                "--model",
                "my_model:Line",
                "--data",
                "houses.csv",
                "--target",
                "price",
                "--task",
                "regression",
            ),
            *("--score", "my_model:near", "--metric", "near"),
        ],
        "--task regression: has a score of its own",
    ),
    "no such architecture": (["--model", "resnet81", "--data", "my photos"], "did you mean 'resnet18'"),
    "no such class": (["--model", "my_model:Nat", "--data", "my photos"], "cannot be imported"),
    "a name that is misspelt": (
        ["--model", "my_model:Nett", "--data", "my photos"],
        "Did you mean 'Net'?",
    ),
    "a module that is not there": (
        ["--model", "their_model:Net", "--data", "my photos"],
        "Put their_model.py into",
    ),
    "a file that is no table": (
        ["--model", "my_model:Net", "--data", "my_model.py"],
        "is a file, and no table",
    ),
    "too few samples": (
        ["--model", "my_model:Net", "--data", "my_model:few"],
        "gives 3 samples: too few to train, validate and test with",
    ),
    "no pairs": (
        ["--model", "my_model:Net", "--data", "my_model:words"],
        "return pairs of inputs and target",
    ),
    "no such data": (["--model", "my_model:Net", "--data", "fotos"], "--data fotos: is no folder, no table"),
    "no target": (["--model", "my_model:Line", "--data", "houses.csv"], "say with --target which column"),
    "no model": (["--data", "my photos"], "--model is missing"),
    "several outputs": (
        ["--model", "my_model:Several", "--data", "my photos"],
        "gives logits, mean: say with --output which one is scored",
    ),
    "a promise that is broken": (
        ["--model", "my_model:Broken", "--data", "my photos"],
        "families.mine.model: it gives",
    ),
    "another task": (
        ["--model", "my_model:Net", "--data", "my photos", "--task", "regression"],
        "its targets are whole numbers, which count as classes: make floats of them",
    ),
    "a score without a name": (
        ["--model", "my_model:Net", "--data", "my photos", "--score", "my_model:near"],
        "give --score MODULE:FUNCTION and --metric NAME",
    ),
    "weights of another model": (
        ["--model", "my_model:Net", "--data", "my photos", "--weights", "other.pt"],
        "does not fit the model",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_does_not_go_together_is_told_and_nothing_is_left(
    project: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options, said = BAD[kind]
    torch.save(torch.nn.Linear(2, 2).state_dict(), "other.pt")
    assert main(["new", "mine", *options]) == 1
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert not [*(project / "conf").rglob("*.yaml")]


def test_a_name_that_is_taken_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "my_model:Net", "--data", "my photos"]
    assert main(["new", "cnn", *options]) == 1
    assert "the package has an option of this name" in capsys.readouterr().err
    assert main(["new", "mine", *options]) == 0
    assert main(["new", "mine", *options]) == 1
    assert "conf/data/mine.yaml exists" in capsys.readouterr().err
    assert (project / "conf/family/mine.yaml").exists()


def test_a_checkpoint_says_what_it_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = torchvision.models.resnet18(num_classes=2).state_dict()
    torch.save({"arch": "resnet18", "epoch": 7, "classes": ["cat", "dog"], "state_dict": state}, "best.pth")
    assert main(["new", "mine", "--from-checkpoint", "best.pth", "--data", "my photos", "--size", "32"]) == 0
    said = capsys.readouterr().out
    assert "checkpoint: arch: resnet18" in said and "checkpoint: classes: cat, dog" in said
    assert "checkpoint: its last linear layer, fc.weight, gives 2 numbers" in said
    assert "weights: all of" in said
    assert written(project)["model"]["_target_"] == "torchvision.models.resnet.resnet18"


def test_a_training_may_begin_with_weights_of_another_head(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(torchvision.models.resnet18(num_classes=7).state_dict(), "imagenet.pth")
    options = ["--model", "resnet18", "--data", "my photos", "--size", "32", "--pretrained", "imagenet.pth"]
    assert main(["new", "mine", *options]) == 0
    said = capsys.readouterr().out
    assert "begins with 100 of 102 tensors" in said
    assert "drawn anew: fc.weight (2 x 512 instead of 7 x 512), fc.bias (2 instead of 7)" in said
    assert (
        main(
            ["new", "other", "--model", "my_model:Net", "--data", "my photos", "--pretrained", "imagenet.pth"]
        )
        == 1
    )
    assert "is of another model: 0 of 4 tensors have name and shape" in capsys.readouterr().err


def test_it_asks_for_what_no_option_has_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["", "my_model:Lime", "my_model:Line", "homes.csx", "houses.csv", "price"]
    answers = iter([*given, "regresion", "regression", "none.pt", "", "a lot", "50"])
    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["new", "mine"]) == 0
    assert next(answers, None) is None
    assert asked[0] == asked[1] == asked[2] and asked[0].startswith("Model (")  # again, after what is none
    assert asked[3] == asked[4] and asked[10] == asked[11]
    assert asked[6].endswith("segmentation) [classification]: ") and asked[8].endswith(" [train it here]: ")
    said = capsys.readouterr().out
    assert "Did you mean 'Line'?" in said and "homes.csx: there is no such folder" in said
    assert "regresion: is none of these." in said and "none.pt: there is no such file." in said
    assert written(project, "data")["path"] == "houses.csv"  # which a copy of the project has, too
    assert written(project)["checkpoint"] is None
    assert written(project, "study")["recommend"] == {"max_score_loss": 50}


def test_nothing_is_asked_where_nobody_can_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    assert main(["new", "mine", "--model", "my_model:Net"]) == 1
    assert "--data is missing: Data (a folder with train/CLASS" in capsys.readouterr().err


def test_questions_that_are_broken_off_write_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["new", "mine"]) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert not [*project.glob("conf/**/*.yaml")]
