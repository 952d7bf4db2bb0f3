"""Exactly the stages that depend on a change run again: real DVC, real edits."""

import json
import shutil

import pytest
from dvc.repo import Repo
from project import Project

from breakeven.cli import main

pytestmark = pytest.mark.timeout(600)
ALWAYS = {"fetch", "machine"}


def changed(project: Project) -> set[str]:
    """The stages that DVC finds changed before anything runs (without what follows from them).

    As `dvc status` says it, but in this process: its imports take longer than its work.
    """
    with Repo(str(project.folder)) as repo:
        return {stage.rpartition(":")[2] for stage in repo.status()} - ALWAYS  # dvc.yaml:NAME


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("seed=5", {"train@cnn", "compress@cnn-prune50", "quantize@cnn", "benchmark@cnn-cpu1"}),
        ("families.cnn.train.lr=0.01", {"train@cnn", "compress@cnn-prune50", "report"}),
        ("families.cnn.model.width=16", {"train@cnn", "report"}),
        (
            "compressions.prune50.ratio=0.25",
            {"compress@cnn-prune50", "export@cnn", "quantize@cnn", "benchmark@cnn-cpu1"},
        ),
        ("runtime=[eager,onnxruntime,torchscript_traced]", {"export@cnn", "quantize@cnn"}),
        ("measure.rounds=4", {"benchmark@cnn-cpu1"}),
        ("datasets.digits.split_seed=3", {"prepare@digits"}),
    ],
)
def test_a_setting_touches_just_the_stages_that_read_it(
    project: Project, key: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    assert main.main(["compose", "study=tiny", key]) == 0
    assert changed(project) == expected | {"compose"}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("src/breakeven/report/terminal_table.py", {"report"}),
        ("src/breakeven/tracking/client.py", set()),
        ("src/breakeven/plugins/runtimes/eager.py", {"export@cnn", "quantize@cnn", "benchmark@cnn-cpu1"}),
    ],
)
def test_a_line_of_source_touches_just_the_stages_that_import_it(
    project: Project, file: str, expected: set[str]
) -> None:
    with (project.folder / file).open("a") as source:
        source.write("\n# a line\n")
    assert changed(project) == expected


@pytest.mark.parametrize(("model", "expected"), [("cnn", {"train@cnn"}), ("resnet18", set())])
def test_a_line_of_a_model_trains_that_model_alone(project: Project, model: str, expected: set[str]) -> None:
    with (project.folder / f"src/breakeven/plugins/models/{model}.py").open("a") as source:
        source.write("\n# a line\n")
    project.run("dvc", "repro", "fetch")
    assert changed(project) == expected


def test_what_python_compiled_touches_no_stage(project: Project) -> None:
    for folder in (project.folder / "src").rglob("__pycache__"):
        shutil.rmtree(folder)
    assert changed(project) == set()


def test_another_dataset_touches_no_family(project: Project) -> None:
    (project.folder / "data/prepared/other").mkdir()
    (project.folder / "data/prepared/other/manifest.json").write_text("{}")
    assert changed(project) == set()


def test_another_sweep_makes_the_report_again_once(project: Project) -> None:
    folder = project.folder / ".breakeven/results/sweep_results"
    folder.mkdir(parents=True, exist_ok=True)
    lost = {"title": "family=cnn", "overrides": [], "status": "done", "key": "0" * 16}
    record = {"name": "small-1", "study": "small", "command": "breakeven-sweep study=small", "jobs": [lost]}
    (folder / "small-1.json").write_text(json.dumps(record))
    project.run("dvc", "repro", "fetch")
    assert changed(project) == {"report"}
    project.edit("src/breakeven/report/terminal_table.py", '"break-even calls"', '"calls to break even"')
    done = project.run("dvc", "repro")
    assert project.stages(done.stdout) == {"report"} and "calls to break even" in done.stdout
    page = (project.folder / "results/report.html").read_text()
    assert "<pre>breakeven-sweep study=small</pre>" in page and "its results are not in the store" in page
    assert project.stages(project.run("dvc", "repro").stdout) == set()
    # The same once more, of which nothing else is to be shown
    (folder / "small-1.json").write_text(json.dumps({**record, "jobs": [{**lost, "seconds": 2.0}]}))
    assert project.stages(project.run("dvc", "repro").stdout) == set()


def test_a_deleted_output_is_made_again_without_training(project: Project) -> None:
    shutil.rmtree(project.folder / "models/cnn/none")
    done = project.run("dvc", "repro")
    assert project.stages(done.stdout) == set()  # taken from the cache
    assert (project.folder / "models/cnn/none/model.safetensors").is_file()


def test_another_machine_measures_again(project: Project) -> None:
    project.edit("src/breakeven/core/system_info.py", '"cores": os.cpu_count()', '"cores": 99')
    project.run("dvc", "repro", "machine")
    assert changed(project) == {"export@cnn", "quantize@cnn", "benchmark@cnn-cpu1"}
