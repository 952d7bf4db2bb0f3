"""The guard, and DVC's experiments: never silently stale, and every run in the main store."""

import json
import re
import shlex

import pytest
import yaml
from mlflow import MlflowClient
from project import ROOT, Project

pytestmark = pytest.mark.timeout(900)


def params(project: Project) -> dict:
    return yaml.safe_load((project.folder / "params.yaml").read_text())


def trained_seeds(project: Project) -> set[str]:
    """The seeds of all training runs in the main repository's store."""
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("breakeven")
    runs = client.search_runs([experiment.experiment_id], "tags.kind = 'train'")
    return {run.data.params["seed"] for run in runs}


def test_an_edit_in_conf_stops_with_the_command_that_helps(project: Project) -> None:
    project.edit("conf/train/sgd.yaml", "warmup: 0.2", "warmup: 0.3")
    stopped = project.run("dvc", "repro", check=False)
    assert stopped.returncode != 0
    assert "Run `breakeven compose study=tiny`, then `dvc repro`" in stopped.stderr
    assert project.stages(stopped.stdout) == {"check_params"}
    project.run("breakeven", "compose", "study=tiny")
    assert params(project)["families"]["cnn"]["train"]["warmup"] == 0.3
    assert "train@cnn" in project.run("dvc", "status").stdout


def test_the_documented_table_of_experiments_shows_what_to_deploy(reproduced: tuple[Project, str]) -> None:
    (command,) = re.findall(
        r"^dvc exp show .*--keep.*$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    shown = reproduced[0].run(*shlex.split(command), "--csv").stdout.splitlines()
    columns = shown[0].split(",")
    assert columns[0] == "Experiment" and len(shown) > 1
    deployed = [*(reproduced[0].folder / "results/metrics/DEPLOY").glob("*.json")]
    # DVC leaves out the file's name where only one file has the key.
    named = {"deploy", *(f"results/metrics/DEPLOY/{file.name}:deploy" for file in deployed)}
    assert len(named & {*columns}) == len(deployed) == 1
    assert not [column for column in columns if "--" in column]


def test_the_guard_remembers_overrides(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "seed=7")
    project.edit("conf/train/sgd.yaml", "warmup: 0.2", "warmup: 0.3")
    stopped = project.run("dvc", "repro", "check_params", check=False)
    assert "Run `breakeven compose study=tiny seed=7`" in stopped.stderr


@pytest.mark.slow
def test_a_comment_in_conf_runs_nothing_but_the_guard(project: Project) -> None:
    with (project.folder / "conf/train/sgd.yaml").open("a") as file:
        file.write("# a comment\n")
    assert project.stages(project.run("dvc", "repro").stdout) == {"check_params"}


@pytest.mark.parametrize(
    "bad", [["families.cnn.train.lr=-5", "families.cnn.train.epochs=0"], ["families.cnn.model.width=0"]]
)
def test_a_bad_value_stops_before_any_work(project: Project, bad: list[str]) -> None:
    stopped = project.run("dvc", "exp", "run", *(word for key in bad for word in ("-S", key)), check=False)
    assert stopped.returncode != 0
    for key, _, value in (each.partition("=") for each in bad):
        assert f"{value}: " in stopped.stderr and key.rpartition(".")[2] in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert project.stages(stopped.stdout) <= {"check_params"}


@pytest.mark.slow
@pytest.mark.parametrize("stages", [["train@cnn"], []], ids=len)
def test_experiments_after_an_edit_in_conf(project: Project, stages: list[str]) -> None:
    project.edit("conf/train/sgd.yaml", "warmup: 0.2", "warmup: 0.3")
    project.commit()
    study = ("-S", "study=tiny")
    project.run("dvc", "exp", "run", "--name", "here", *study, "-S", "seed=3", *stages)
    assert params(project)["seed"] == 3
    assert params(project)["families"]["cnn"]["train"]["warmup"] == 0.3
    overrides = json.loads((project.folder / "results/composed/overrides.json").read_text())
    assert overrides == ["study=tiny", "++seed=3"]
    # repro after it has nothing to do, and the guard knows what was asked for
    assert project.stages(project.run("dvc", "repro", *stages).stdout) == set()

    project.run("dvc", "exp", "run", "--temp", "--name", "temporary", *study, "-S", "seed=4", *stages)
    assert trained_seeds(project) >= {"0", "3", "4"}
    if not stages:  # the queue has workers of its own, which take their time
        project.run("dvc", "exp", "run", "--queue", *study, "-S", "seed=1", "train@cnn")
        project.run("dvc", "exp", "run", "--run-all")
        assert trained_seeds(project) >= {"0", "1", "3", "4"}

    project.run("dvc", "exp", "apply", "temporary")
    assert params(project)["seed"] == 4
    assert project.stages(project.run("dvc", "repro", *stages).stdout) == set()
