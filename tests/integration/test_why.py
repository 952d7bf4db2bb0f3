"""Where the time goes, as users see it: in the terminal, the report, MLflow and a trace."""

import json
import shutil
from pathlib import Path

import pytest
import time_profiles
from filelock import FileLock
from mlflow import MlflowClient
from project import Project

from breakeven.cli import main
from breakeven.diagnosis import in_process

EAGER, ONNX = "none/fp32/eager", "none/fp32/onnxruntime"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def profiled(reproduced: tuple[Project, str], common_folder: Path) -> Project:
    """The tiny study with its profile, which other tests leave out."""
    folder, done = common_folder / "profiled", common_folder / "profiled.done"
    with FileLock(common_folder / "profiled.lock"):
        if not done.exists():
            shutil.copytree(reproduced[0].folder, folder, symlinks=True)
            project = Project(folder)
            project.run("breakeven", "compose", "study=tiny", "profile=true")
            project.run("dvc", "repro")
            done.touch()
    return Project(folder)


def profile(project: Project) -> dict:
    return json.loads((project.folder / "results/profile/cnn-cpu1/profile.json").read_text())


def test_the_profile_is_measured_before_anything_is_optimized(profiled: Project) -> None:
    record = profile(profiled)
    assert record["profile"]["name"] == EAGER and not record["reason"]
    assert {bound["optimization"] for bound in record["bounds"]} == {"int8", "pruning", "fusion", "no calls"}
    assert all(bound["at_most"] >= 1 for bound in record["bounds"])
    dag = profiled.run("dvc", "dag", "--mermaid", "profile@cnn-cpu1").stdout
    assert "train@cnn" in dag and "export" not in dag


def test_the_trace_opens_in_perfetto(profiled: Project) -> None:
    trace = json.loads((profiled.folder / "results/profile/cnn-cpu1/trace.json").read_text())
    names = {event.get("name") for event in trace["traceEvents"]}
    assert {"aten::conv2d", "Sequential"} <= names  # an operator, and a module of the model
    assert all("ts" in event for event in trace["traceEvents"] if event.get("ph") == "X")


def test_a_family_is_told_by_its_parts_and_bounds(profiled: Project) -> None:
    printed = profiled.run("breakeven", "why", "cnn").stdout
    assert "cnn: none/fp32/eager on cpu1 (threads: 1), 1 input a call" in printed
    for part in (
        "conv2d",
        "operator overhead",
        "Python module overhead",
        "the call itself",
        "unexplained",
        "a call (p50)",
    ):
        assert part in printed
    words = " ".join(printed.split())
    assert "Int8 in convolutions and linear layers: at most" in words
    assert "breakeven why none/fp32/onnxruntime none/int8-static/onnxruntime" in words
    assert all(len(line) <= 80 for line in printed.splitlines())


@pytest.mark.slow
def test_two_variants_are_told_by_what_changed(profiled: Project) -> None:
    assert_tells_what_changed(profiled.run("breakeven", "why", EAGER, ONNX, "--family", "cnn").stdout)


def test_two_profiles_are_told_by_what_changed(
    profiled: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As above, with profiles that need not be measured for 20 seconds."""
    measured = {
        EAGER: time_profiles.profile(EAGER, Conv=40.0),
        ONNX: time_profiles.profile(ONNX, 50.0, Conv=20.0),
    }
    monkeypatch.setattr(in_process, "profile", lambda variant, seconds: measured[variant.name])
    with profiled.entered():
        assert main.main(["why", EAGER, ONNX, "--family", "cnn"]) == 0
    assert_tells_what_changed(capsys.readouterr().out)


def assert_tells_what_changed(printed: str) -> None:
    words = " ".join(printed.split())
    assert "cnn on cpu1 (threads: 1), 1 input a call" in printed
    assert "convolution" in words and "unexplained" in words and "What changed:" in words
    assert f"{ONNX} is " in words and "as the study measured: " in words


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cn"], "cnn"),
        ([EAGER, "none/fp32/onxruntime"], "none/fp32/onnxruntime"),
        ([EAGER, ONNX, EAGER], "3 names are given: give one family, one variant or two variants."),
        ([], "No name is given: give one family, one variant or two variants."),
        (["cnn", "--passes"], "cnn is a family: --family, --passes and --pass are for variants."),
        ([EAGER, ONNX, "--passes"], "--passes and --pass are about one variant: two are given."),
        ([EAGER, "--hardware", "cpu1"], "--hardware is for a family, or for two variants"),
        (["cnn", "--fusion"], "--fusion is about this processor, not about a model"),
    ],
)
def test_a_wrong_name_is_one_sentence(
    profiled: Project, names: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with profiled.entered():
        assert main.main(["why", *names]) == 1
    assert said in capsys.readouterr().err


def test_the_report_has_a_picture_of_each(profiled: Project) -> None:
    page = (profiled.folder / "results/report.html").read_text()
    assert "Where the time goes: cnn on cpu1, before anything is optimized" in page
    explained = json.loads((profiled.folder / "results/explain/cnn-cpu1.json").read_text())
    shown = len(explained["profiles"]) == 2  # nothing to explain where the baseline is what to deploy
    assert ('id="explain-cnn-cpu1"' in page) is shown
    assert shown or explained["reason"]


def test_mlflow_has_a_run_with_the_trace(profiled: Project) -> None:
    store = MlflowClient(f"sqlite:///{profiled.folder / 'mlflow.db'}")
    experiment = store.get_experiment_by_name("breakeven")
    (run,) = store.search_runs([experiment.experiment_id], "tags.kind = 'profile'")
    assert run.info.run_name == "cnn · where the time goes on cpu1" and run.info.status == "FINISHED"
    shares = [value for name, value in run.data.metrics.items() if name.startswith("share/")]
    assert sum(shares) == pytest.approx(1, abs=0.01)  # MLflow gets rounded figures
    kept = profiled.folder / "mlartifacts" / "breakeven" / run.info.run_id / "artifacts/profile"
    assert {file.name for file in kept.iterdir()} == {"profile.json", "trace.json"}
    parent = store.get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.data.tags["kind"] == "study"
