"""`breakeven capture` tries a model of the user's own, and says what is missing."""

import json
from pathlib import Path

import pytest

from breakeven.cli import main

MODEL = """\
import torch
from torch import nn

class Gate(nn.Module):
    def forward(self, x):
        if x.mean() > 0:
            return x + 1
        return x - 1

class Needs(nn.Module):
    def __init__(self, width, depth):
        super().__init__()

def number():
    return 3

def inputs():
    return {"x": torch.ones(2, 3)}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "gated_model.py").write_text(MODEL)
    return tmp_path


def test_it_names_the_way_that_is_silently_wrong_and_what_to_write_instead(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "gated_model:Gate",
        "--example",
        "gated_model:inputs",
        "--way",
        "jit_trace",
        "--way",
        "jit_script",
    ]
    assert main.main(["capture", *words, "--json", "found.json"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "torch.jit.trace silently wrong Its output differs by up to 2" in printed
    assert "torch.jit.script right" in printed and "Instead: " in printed
    found = json.loads((folder / "found.json").read_text())
    assert [(each["way"], each["kind"]) for each in found] == [
        ("jit_trace", "wrong"),
        ("jit_script", "right"),
    ]


def test_it_returns_0_if_no_way_is_silently_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["gated_model:Gate", "--shape", "2,3", "--way", "jit_script"]
    assert main.main(["capture", *words]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gated_model:Gate"], "say what it is called with: --shape 2,3,32,32"),
        (
            ["gated_model:Needs", "--shape", "2"],
            "gated_model:Needs needs arguments (width, depth)",
        ),
        (["gated_model:Gte", "--shape", "2"], "Did you mean 'Gate'?"),
        (["gated_model:number", "--shape", "2"], "gated_model:number returns a int, not a torch.nn.Module"),
        (["gated_model:Gate", "--shape", "2", "--way", "jit"], "the way 'jit' is unknown"),
        (["gated_model:Gate", "--example", "gated_model:nothing"], "--example=gated_model:nothing"),
        (["study"], "say where the page goes: --page docs/results/capture.md"),
        (["idioms", "--page", "page.md"], "--page is for study"),
        (["study", "--page", "page.md", "--json", "found.json"], "--json is not for study"),
        (["costs", "--light"], "--way and --light are not for costs"),
        (["study", "--page", "nowhere/page.md"], "in a folder that exists"),
        (["cnn", "--shape", "2"], "--shape and --example are for a model of your own"),
        (["cnn"], "There is no project in"),
    ],
)
def test_bad_input_gets_a_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["capture", *words]) == 1
    assert said in capsys.readouterr().err
