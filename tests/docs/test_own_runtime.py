"""A runtime plugin by the guide: the page's files and commands, in a project as the user has one."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest
from project import ROOT, Project

PAGE = (ROOT / "docs/own-runtime.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^## `([^`]+)`\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.search(r"^```\n(breakeven .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NEW = {f"{recipe}/fp32/exported_program" for recipe in ("none", "prune50")}


def records(project: Project) -> dict[str, str]:
    """Return the record of each model and artifact; it holds the seconds that making it took."""
    patterns = ("models/*/*/model.json", "artifacts/*/*/*/artifact.json")
    found = [path for pattern in patterns for path in project.folder.glob(pattern)]
    return {str(path.relative_to(project.folder)): path.read_text() for path in found}


def test_the_page_shows_the_files_of_the_example() -> None:
    example = ROOT / "examples/own_runtime"
    assert {Path(name).name: text for name, text in FILES.items()} == {
        path.name: path.read_text(encoding="utf-8") for path in example.iterdir() if path.is_file()
    }


def test_the_package_does_not_name_the_example() -> None:
    sources = (ROOT / "src").rglob("*.py")
    name = re.compile(r"\bexported_program\b")
    assert [path for path in sources if name.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_runtime_by_the_guide_is_measured_and_nothing_else_is_made_again(project: Project) -> None:
    before = records(project)
    assert len(before) == 2 + 4 + 2  # models; artifacts of eager and ONNX Runtime; quantized ones
    for name, text in FILES.items():
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text(text, encoding="utf-8")
    assert COMMANDS
    for line in COMMANDS[1].splitlines():
        done = project.run(*shlex.split(line.replace("study=quick", "study=tiny")))
    assert "none/fp32/exported_program" in done.stdout
    with (project.folder / "results/summary.csv").open(encoding="utf-8") as file:
        rows = {row["variant"]: row for row in csv.DictReader(file)}
    for name in NEW:
        assert rows[name]["verdict"] in ("faster", "slower", "same", "undecided"), rows[name]
        assert float(rows[name]["latency_ms_p50"]) > 0 and float(rows[name]["agreement"]) == 1
    after = records(project)
    assert {name: after[name] for name in before} == before
    made = [json.loads(after[name]) for name in after.keys() - before.keys()]
    assert {f"{one['recipe']}/{one['precision']}/{one['runtime']}" for one in made} == NEW

    # An edit of the file makes its own artifacts again, and what it refuses has a row with the reason.
    project.edit(
        "my_runtimes/exported_program.py", "torch.export.save(", "raise Unsupported('why')\n        print("
    )
    project.run("dvc", "repro", "export")
    edited = records(project)
    assert {name: edited[name] for name in before} == before
    refused = [json.loads(edited[name]) for name in edited.keys() - before.keys()]
    assert [(one["status"], one["reason"]) for one in refused] == [("unsupported", "why")] * 2
