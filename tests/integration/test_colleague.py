"""What one has made and pushed, a colleague sees elsewhere, without training or measuring anything."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from project import Project, fetched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def runs(project: Project) -> list[Run]:
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("breakeven")
    assert experiment
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def kinds(project: Project) -> set[str]:
    return {run.data.tags["kind"] for run in runs(project)}


def figures(project: Project) -> dict[str, dict[str, float]]:
    """The measured figures of each benchmarked variant."""
    return {
        run.info.run_name: run.data.metrics for run in runs(project) if run.data.tags["kind"] == "benchmark"
    }


def test_a_colleague_sees_all_results_without_making_them(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "remote", "add", "-d", "shared", str(tmp_path / "shared"))
    project.run("dvc", "push")
    project.commit("share")
    elsewhere = Project(tmp_path / "elsewhere")
    project.run("git", "clone", "-q", str(project.folder), str(elsewhere.folder))
    elsewhere.run("dvc", "pull")
    printed = elsewhere.run("breakeven", "sync").stdout
    assert "epoch" not in printed
    assert (elsewhere.folder / "results/report.html").read_bytes() == (
        project.folder / "results/report.html"
    ).read_bytes()
    assert figures(elsewhere) == figures(project) != {}
    assert kinds(elsewhere) == kinds(project)
    # Only the stage that runs every time has changed: this machine is the same one.
    status = json.loads(elsewhere.run("dvc", "status", "--json").stdout)
    assert set(status) <= {"fetch"}
    trained = next(run for run in runs(elsewhere) if run.data.tags["kind"] == "train")
    with elsewhere.ui() as address:
        card = fetched(f"{address}/get-artifact?path=model/model.json&run_uuid={trained.info.run_id}")
    assert json.loads(card)["family"] == "cnn"
