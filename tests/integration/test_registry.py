"""What is recommended is loaded by MLflow alone; two commits are compared."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rows
import torch
from mlflow import MlflowClient
from project import Project

from breakeven.artifacts import dataset
from breakeven.cli import main
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.engine.selftest import models
from breakeven.engine.selftest.versions import slowed_onnxruntime
from breakeven.tracking import pyfunc
from breakeven.tracking.client import Tracker
from breakeven.tracking.model_registry import Candidate, name_of, register
from breakeven.tracking.server import served

pytestmark = pytest.mark.timeout(600)

# In a process of its own, as a colleague would; what was recommended once more, by a server, is there once.
LOAD = """
import os, sys
import mlflow, numpy as np
from breakeven.cli import main
from breakeven.tracking import server
assert main.main(sys.argv[3:]) == 0
assert "MLFLOW_TRACKING_URI" not in os.environ  # of the server that has ended
with server.served() as uri:
    os.environ["MLFLOW_TRACKING_URI"] = uri
    assert main.main(sys.argv[3:]) == 0
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    champion = "models:/breakeven-cnn-cpu1-batch1@champion"
    mlflow.artifacts.download_artifacts(champion + "/requirements.txt", dst_path=".")
    np.save(sys.argv[2], mlflow.pyfunc.load_model(champion).predict(np.load(sys.argv[1])))
"""


@pytest.mark.slow
def test_the_champion_gives_the_logits_it_was_scored_with(project: Project) -> None:
    images = dataset.load_split(project.folder / "data/prepared/digits", "test").images[:300]
    np.save(project.folder / "images.npy", images)
    # Two epochs on little data: whatever it costs, something is recommended.
    asked = ("recommend", "--max-accuracy-drop", "100", "--by-estimate")
    printed = project.run("python", "-c", LOAD, "images.npy", "logits.npy", *asked).stdout
    words = " ".join(printed.split())
    assert "models:/breakeven-cnn-cpu1-batch1@champion" in printed
    # The run's warnings are repeated: two replicates decide nothing
    assert len(re.findall("Warning: few replicates: (?:after )?2 replicates ", words)) == 2
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    (version,) = client.search_model_versions("name='breakeven-cnn-cpu1-batch1'")
    assert (
        client.get_model_version_by_alias("breakeven-cnn-cpu1-batch1", "champion").version == version.version
    )
    variant = version.tags["variant"]
    assert re.search(rf"cnn on cpu1, batch 1 (Deploy|Keep the baseline,) {re.escape(variant)}", words)
    assert "Chosen because " in version.description
    assert "**Warning:** few replicates" in version.description
    assert f"load_model('models:/breakeven-cnn-cpu1-batch1/{version.version}')" in version.description
    assert "The champion of breakeven-cnn-cpu1-batch1 is now version 1: " in words
    assert version.tags["limits"] == "--max-accuracy-drop 100 --by-estimate"
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    names = [metric.key for metric in logged.metrics]
    assert {*names} >= {"latency_ms_p50", "artifact_mb"} and len(names) == len({*names})
    assert logged.name == "breakeven-cnn-cpu1-batch1"
    run = client.get_run(version.run_id).info
    assert run.status == "FINISHED" and (run.end_time - run.start_time) / 1000 < 600  # that of measuring

    folder = next(project.folder.glob(f"artifacts/*/cnn/{variant.replace('/', '--')}"))
    assert f"Its files: {folder.relative_to(project.folder)}" in printed
    expected = np.load(folder / "scores.npy")[:300]
    assert np.abs(np.load(project.folder / "logits.npy") - expected).max() < 1e-3 * np.abs(expected).max()
    needs = {line.partition("==")[0] for line in (project.folder / "requirements.txt").read_text().split()}
    assert needs >= {"mlflow", "numpy", "pydantic"} and not needs & {"openvino", "executorch", "nncf"}
    assert ("onnxruntime" in needs) == variant.endswith("onnxruntime")


OWN_NET = """
import torch
from torch import nn
from own_parts import SLOPE

class Net(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.LeakyReLU(SLOPE), nn.Linear(64 * in_channels, num_classes))

    def forward(self, x):
        return self.net(x)
"""
LOAD_ELSEWHERE = """
import sys
import mlflow, numpy
print(mlflow.pyfunc.load_model(sys.argv[1]).predict(numpy.zeros((3, 1, 8, 8), "uint8")).shape)
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow's own code
def test_the_champion_of_the_users_own_model_is_loaded_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "own_net.py").write_text(OWN_NET)
    (home / "own_parts.py").write_text("SLOPE = 0.1\n")
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(home))
    monkeypatch.setattr(paths, "home", lambda: home)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    model = models.Model("own", {"_target_": "own_net.Net"}, (1, 8, 8))
    artifact = models.write(model, "eager", home / "artifact")
    Tracker().create("a variant", "key", {})
    hardware = {"name": "cpu", "threads": 1}
    row = replace(rows.BASELINE, family="own")
    images = model.images(2)
    logits = pyfunc.pack(artifact, hardware, tmp_path / "packed").predict(images)
    with served() as uri:
        candidate = Candidate(
            row, "key", {"torch": torch.__version__}, artifact, hardware, images, logits, {}
        )
        with pytest.raises(UserError, match="gives other logits than those that were scored"):
            register(uri, replace(candidate, logits=-logits))
        champion = register(uri, candidate)
    assert champion.address == f"models:/{name_of(row)}@champion" and not champion.previous
    (manifest,) = home.glob("mlartifacts/**/MLmodel")
    assert {path.name for path in (manifest.parent / "code").iterdir()} == {
        "breakeven",
        "own_net.py",
        "own_parts.py",
    }
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, str(manifest.parent)],
        cwd="/",
        env=clean,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "(3, 10)\n", done.stderr


@pytest.mark.slow
def test_a_commit_is_compared_with_what_lies_here(project: Project) -> None:
    options = ("--variant", "none/fp32/onnxruntime")
    done = project.run("breakeven", "compare", "HEAD", "workspace", *options, check=False)
    # Once in the table, and once more where a busy machine leaves it undecided, with the reason.
    assert "none/fp32/onnxruntime" in done.stdout and "in the same rounds" in done.stdout, done.stderr
    assert "prune50" not in done.stdout
    worktrees = project.run("git", "worktree", "list").stdout.splitlines()
    assert len(worktrees) == 1
    # Two replicates decide nothing.
    stored = project.run("breakeven", "compare", "HEAD", "HEAD", "--stored", check=False)
    assert stored.returncode == 2 and "cannot be ruled out: cnn " in stored.stderr
    assert "by stored results" in stored.stdout and stored.stdout.count("1.000x") > 3
    shutil.rmtree(project.folder / "artifacts/export/cnn/none--fp32--onnxruntime")
    gone = project.run("breakeven", "compare", "HEAD", "workspace", "--variant", "none/*", check=False)
    assert gone.returncode == 2 and "differs. Run `dvc checkout`" in gone.stderr


@pytest.mark.slow
def test_a_slower_version_of_a_library_is_held_against_the_installed_one(
    project: Project, tmp_path: Path
) -> None:
    folder = slowed_onnxruntime(tmp_path / "slow", 3.0)
    options = ("--with", str(folder), "--variant", "none/fp32/onnxruntime")
    done = project.run("breakeven", "compare", *options, check=False)
    assert done.returncode in (1, 2), done.stdout + done.stderr  # the study has two replicates only
    speedup = re.search(r"([\d.]+)x", done.stdout)
    assert speedup and float(speedup[1]) < 0.9
    assert "what differs: nothing that pip knows of" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["HEAD"], "name two things to compare"),
        ([], "name two things to compare"),
        (["HEAD", "workspace", "--python", sys.executable], "name two things to compare"),
        (["--python", "a", "--python", "b", "--python", "c"], "name two things to compare"),
        (["--python", "nowhere"], "--python nowhere: there is no such Python"),
        (
            ["--with", "onnxruntime"],
            "--with onnxruntime: it is neither a folder nor a requirement with a version",
        ),
        (["--with", "onnxruntime==1.22.0", "--stored"], "--stored compares commits"),
        (["--python", sys.executable, "--variant", "*/fp8/*"], "no artifact of a variant like */fp8/* here"),
        (["--python", sys.executable, "--hardware", "cpu9"], "did you mean 'cpu1'"),
        (["nothing", "workspace"], "nothing is no commit here"),
        (["HEAD", "workspace", "--hardware", "cpu9"], "did you mean 'cpu1'"),
        (["HEAD", "workspace", "--variant", "*/fp8/*"], "no variant like */fp8/* in common"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    project: Project,
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.folder)
    assert main.main(["compare", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_commit_whose_outputs_are_gone_says_how_to_get_them(project: Project) -> None:
    shutil.rmtree(project.folder / ".dvc/cache")
    done = project.run("breakeven", "compare", "HEAD", "workspace", check=False)
    assert done.returncode == 2 and "dvc pull" in done.stderr and "Traceback" not in done.stderr
    assert list((project.folder / "results/metrics").glob("*/*.json"))  # nothing else is touched
