"""What a command does not know is refused, nothing goes by mistake, and outside a project nothing works."""

import os
import time
from pathlib import Path

import pytest

from breakeven.cli import main
from breakeven.core import cache, paths
from breakeven.core.cache import CacheKey
from breakeven.results import sweep_results
from breakeven.results.sweep_results import DONE, FAILED, JobOutcome

JOB = CacheKey("job", {"seed": 0})


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that has kept a job for ten days, its sweep, and a sweep of which nothing is left."""
    folder = tmp_path / "project"
    (folder / "made").mkdir(parents=True)
    (folder / "dvc.yaml").touch()
    (folder / "made/a.txt").write_text("a")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(paths, "home", lambda: folder)
    cache.save(JOB, "a job", folder / "made")
    sweep_results.write_sweep("kept", "breakeven-sweep", [JobOutcome("a", [], DONE, JOB.digest)], {})
    sweep_results.write_sweep("empty", "breakeven-sweep", [JobOutcome("b", [], FAILED, "no key", "why")], {})
    then = time.time() - 10 * 86400
    for path in [cache.folder(JOB) / cache.NOTE_FILE, *sweep_results.folder().glob("*.json")]:
        os.utime(path, (then, then))
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["prune", "--days", "-1"], "--days -1: should be a number that is not negative"),
        (["prune", "--days", "nan"], "--days nan"),
        (["prune", "family=cnn"], "cache prune takes no overrides"),
        (["list", "nosuch"], "cache list takes no overrides"),
        (["list", "--dry-run"], "belong to prune"),
        (["why", "--days", "3"], "belong to prune"),
    ],
)
def test_what_an_action_does_not_take_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["cache", *words]) == 1
    assert said in capsys.readouterr().err
    assert cache.find(JOB) and len(sweep_results.every()) == 2


def test_a_dry_run_says_what_would_go_and_removes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["cache", "prune", "--days", "5", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "would be removed: 1 entry" in printed and JOB.digest in printed
    assert "the records of 2 sweeps without results" in printed
    assert cache.find(JOB) and len(sweep_results.every()) == 2


def test_a_sweep_of_which_nothing_is_left_is_pruned_and_is_not_the_newest() -> None:
    os.utime(sweep_results.folder() / f"{sweep_results.read_sweep('empty').name}.json")
    assert sweep_results.every()[0].study == "empty"
    assert sweep_results.read_sweep().study == "kept"
    assert main.main(["cache", "prune", "--days", "20"]) == 0
    assert len(sweep_results.every()) == 2
    assert main.main(["cache", "prune", "--days", "0"]) == 0
    assert sweep_results.every() == [] and cache.find(JOB) is None


@pytest.mark.parametrize(
    "words",
    [
        *(["table"], ["recommend"], ["compose"], ["sync"], ["ui"], ["cache"], ["cache", "prune"]),
        *(["why", "a"], ["publish", "a.md"], ["analyse", "a.md"], ["compare", "a", "b"]),
    ],
    ids=" ".join,
)
def test_outside_a_project_a_command_says_where_to_run_it_and_writes_nothing(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    assert main.main(words) == (2 if words[0] == "compare" else 1)  # of `compare`, 1 means slower
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"breakeven: There is no project in {outside}, ")
    assert line.endswith(": run this where dvc.yaml is.")
    assert list(outside.iterdir()) == []


def test_below_a_project_a_command_names_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project / "made")
    assert main.main(["table"]) == 1
    assert f"the project is in {project}." in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("breakeven ")
