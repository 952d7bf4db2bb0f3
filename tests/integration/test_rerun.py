"""Exactly the stages that depend on a change run again: real DVC, real edits."""

import ast
import json
import shutil

import pytest
from dvc.repo import Repo
from project import Project

from breakeven.artifacts.artifact import MANIFEST
from breakeven.cli import main

pytestmark = pytest.mark.timeout(600)
ALWAYS = {"fetch"}
WHY = {"profile@cnn-cpu1", "explain@cnn-cpu1"}


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
        ("families.cnn.train.lr=0.01", {"train@cnn", "compress@cnn-prune50"}),
        ("families.cnn.model.width=16", {"train@cnn"}),
        (
            "compressions.prune50.ratio=0.25",
            {"compress@cnn-prune50", "export@cnn", "quantize@cnn"},
        ),
        ("runtime=[eager,onnxruntime,torchscript_traced]", {"export@cnn", "quantize@cnn"}),
        ("ladder=true", {"explain@cnn-cpu1"}),
        ("measure.rounds=4", {"benchmark@cnn-cpu1", *WHY}),
        ("datasets.digits.split_seed=3", {"prepare@digits"}),
    ],
)
def test_a_setting_touches_just_the_stages_that_read_it(
    project: Project, key: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    assert main.main(["compose", "study=tiny", key]) == 0
    assert changed(project) == expected | {"check_params", "report"}


STATEMENT = "\nEDITED = True\n"
REMARK = "\n# A remark\n"
MADE = {"export@cnn", "quantize@cnn", "benchmark@cnn-cpu1"}
EDITS = [  # one of each kind
    ("plugins/models/cnn.py", {"train@cnn", "compress@cnn-prune50", "serve@cnn", *MADE, *WHY}),
    ("plugins/compression/prune.py", {"compress@cnn-prune50", "benchmark@cnn-cpu1"}),
    ("plugins/runtimes/eager.py", {"export@cnn", "benchmark@cnn-cpu1", "serve@cnn", *WHY}),
    ("plugins/runtimes/openvino.py", set()),
    ("plugins/quantization/onnxruntime.py", {"quantize@cnn"}),
    ("plugins/datasets/digits.py", {"prepare@digits"}),
    ("engine/worker_main.py", {*MADE, "explain@cnn-cpu1", "serve@cnn"}),
    ("diagnosis/overhead.py", WHY),
    ("report/row_columns.py", {"report"}),
    ("report/templates/report.css", {"report"}),
    ("tracking/client.py", set()),
    ("cli/main.py", set()),
]
MORE_EDITS = [
    ("plugins/models/resnet18.py", set()),
    ("plugins/compression/qat.py", set()),
    ("engine/schedule.py", {"benchmark@cnn-cpu1", "explain@cnn-cpu1"}),
    ("core/progress.py", set()),
    ("core/estimate.py", set()),
]


@pytest.mark.parametrize(
    ("file", "expected"), [*EDITS, *(pytest.param(*edit, marks=pytest.mark.slow) for edit in MORE_EDITS)]
)
def test_an_edit_touches_just_the_stages_that_use_the_file(
    project: Project, file: str, expected: set[str]
) -> None:
    path = project.folder / "src/breakeven" / file
    text = path.read_text()
    if path.suffix == ".py":
        docstring = ast.parse(text).body[0]
        path.write_text(
            '"""Says it otherwise."""\n' + "".join(text.splitlines(True)[docstring.end_lineno :]) + REMARK
        )
        assert noted(project) == set(), "a comment and a docstring"
    path.write_text(text + STATEMENT)
    assert noted(project) == expected


def noted(project: Project) -> set[str]:
    """Return the stages that DVC finds changed once `fetch` has looked at the source."""
    project.run("dvc", "repro", "-s", "fetch")
    return changed(project)


def test_a_new_plugin_and_its_option_touch_only_the_guard(project: Project) -> None:
    runtimes = project.folder / "src/breakeven/plugins/runtimes"
    (runtimes / "faster.py").write_text((runtimes / "eager.py").read_text())
    (project.folder / "conf/runtime/faster.yaml").write_text("# @package runtimes.faster\nname: faster\n")
    assert noted(project) == {"check_params"}
    ran = project.stages(project.run("dvc", "repro").stdout)
    assert ran == {"check_params"}, "its output is what it was"


@pytest.mark.slow
def test_a_c_source_touches_stages_only_where_its_runtime_is_selected(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = project.folder / "cpp/src/worker.cpp"
    source.write_text(source.read_text() + "\n// A remark\n")
    assert noted(project) == set()
    monkeypatch.chdir(project.folder)
    runtimes = "runtime=[eager,onnxruntime,libtorch_torchscript]"
    assert main.main(["compose", "study=tiny", runtimes]) == 0
    project.run("dvc", "repro", "-s", "check_params", "fetch")
    code = project.folder / "data/fetched/code"
    before = {path: path.read_bytes() for path in code.rglob("*.json")}
    source.write_text(source.read_text() + "\n// Another one\n")
    project.run("dvc", "repro", "-s", "fetch")
    after = {path.relative_to(code) for path, content in before.items() if path.read_bytes() != content}
    assert {str(path) for path in after} == {"export/cnn.json", "benchmark/cnn-cpu1.json"}


def test_what_python_compiled_touches_no_stage(project: Project) -> None:
    for folder in (project.folder / "src").rglob("__pycache__"):
        shutil.rmtree(folder)
    assert changed(project) == set()


def test_another_dataset_touches_no_family(project: Project) -> None:
    (project.folder / "data/prepared/other").mkdir()
    (project.folder / "data/prepared/other/manifest.json").write_text("{}")
    assert changed(project) == set()


@pytest.mark.slow
def test_another_sweep_makes_the_report_again_once(project: Project) -> None:
    folder = project.folder / ".breakeven/sweeps"
    folder.mkdir(parents=True, exist_ok=True)
    lost = {"title": "family=cnn", "overrides": [], "status": "done", "key": "0" * 16}
    record = {"name": "small-1", "study": "small", "command": "breakeven-sweep study=small", "jobs": [lost]}
    (folder / "small-1.json").write_text(json.dumps(record))
    project.run("dvc", "repro", "fetch")
    assert changed(project) == {"report"}
    project.edit("src/breakeven/report/row_columns.py", '"p50 ms"', '"median, ms"')
    done = project.run("dvc", "repro")
    assert project.stages(done.stdout) == {"report"} and "median, ms" in done.stdout
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


@pytest.mark.slow
def test_sizes_that_vary_are_exported_without_another_training(project: Project) -> None:
    compose = ("breakeven", "compose", "study=tiny")
    for most in (12, 24):
        project.run(*compose, f"+families.cnn.varying.height={{least: 6, most: {most}}}")
        printed = project.run("dvc", "repro", "quantize@cnn", "export@cnn").stdout
        assert "cnn/none: trained: taken from" in printed
        files = [*project.folder.glob("artifacts/*/cnn/*/artifact.json")]
        assert files
        for file in files:
            (found,) = json.loads(file.read_text())["varying"]
            assert (found["name"], found["most"]) == ("height", most), file


def test_another_machine_measures_again(project: Project) -> None:
    project.edit("src/breakeven/core/system_info.py", '"cores": os.cpu_count()', '"cores": 99')
    project.run("dvc", "repro", "fetch")
    assert changed(project) == {"profile@cnn-cpu1", "export@cnn", "quantize@cnn", "benchmark@cnn-cpu1"}


@pytest.mark.slow
def test_what_failed_is_tried_again_by_the_same_command_until_it_is_there(project: Project) -> None:
    (manifest,) = project.folder.glob(f"artifacts/export/cnn/*prune50*onnxruntime*/{MANIFEST}")
    made = manifest.read_bytes()
    manifest.write_text(json.dumps({**json.loads(made), "status": "failed", "reason": "killed by SIGKILL"}))
    project.run("dvc", "commit", "-f", "export@cnn")
    assert project.stages(project.run("dvc", "repro").stdout) == {"export@cnn"}
    assert json.loads(manifest.read_bytes())["status"] == "ok"
    assert project.stages(project.run("dvc", "repro").stdout) == set()
