"""A benchmark that is interrupted keeps the scenarios that it had finished, and goes on with the next."""

import json
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import Project

from breakeven.errors import UserError
from breakeven.kept import Kept
from breakeven.result import Part

pytestmark = pytest.mark.timeout(300)
BENCHMARK = ("python", "-m", "breakeven.stages.benchmark", "cnn")
KEPT = "batch 1: measured before the interruption"


def interrupt(project: Project, hardware: str, when: str) -> str:
    """Begin to measure, until something is said; returns all that was."""
    command, said = (*BENCHMARK, hardware), ""
    with subprocess.Popen(
        command, cwd=project.folder, env=project.environment(), stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        for line in running.stderr:
            said += line
            if when in line:
                running.send_signal(signal.SIGTERM)
                break
        running.communicate()
    assert running.returncode == 128 + signal.SIGTERM
    return said


@pytest.fixture
def interrupted(project: Project) -> Project:
    project.run("breakeven", "compose", "study=tiny", "measure.batch_sizes=[1,4]", "hardware=[cpu1,cpu2]")
    for folder in project.folder.glob("artifacts/*/cnn/*"):
        if folder.name != "none--fp32--eager":  # one variant and the twin are enough
            shutil.rmtree(folder)
    interrupt(project, "cpu1", "batch 4:")
    return project


def test_it_goes_on_where_it_was_and_forgets_when_it_is_done(interrupted: Project) -> None:
    # What one hardware has kept is not another's.
    assert KEPT not in interrupt(interrupted, "cpu2", "batch 1:")
    done = interrupted.run(*BENCHMARK, "cpu1")
    assert KEPT in done.stderr and "variants and the twin" in done.stderr
    result = json.loads((interrupted.folder / "results/benchmark/cnn-cpu1.json").read_text())
    assert {record["row"]["batch_size"] for record in result["records"]} == {1, 4}
    assert not list((interrupted.folder / ".breakeven/benchmark").iterdir())


@pytest.mark.parametrize("change", [{"seed": 1}, {"rounds": 4}, {"digests": ["x"]}])
def test_what_was_measured_otherwise_is_not_taken(tmp_path: Path, change: dict[str, object]) -> None:
    settings: dict[str, object] = {"seed": 0, "rounds": 3, "digests": []}
    part = Part("batch 1", "time", [], [])
    Kept(tmp_path, settings).write(part)
    assert Kept(tmp_path, dict(settings)).read("batch 1") == part
    assert Kept(tmp_path, settings).read("batch 4") is None
    assert Kept(tmp_path, {**settings, **change}).read("batch 1") is None


def test_a_sweeps_job_forgets_nothing_before_all_hardware_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from breakeven.stages import job as stage

    forgotten: list[str] = []
    missing = ["cpu2"]

    def benchmark(name: str, hardware: str) -> SimpleNamespace:
        if hardware in missing:
            raise UserError("killed")
        return SimpleNamespace(forget=lambda: forgotten.append(hardware))

    study = SimpleNamespace(datasets=[], families=["cnn"], hardware=["cpu1", "cpu2"], recipes=list)
    monkeypatch.setattr(stage, "config", SimpleNamespace(read=lambda: study))
    monkeypatch.setattr(stage, "benchmark", benchmark)
    for name in ("end_with_parent", "machine", "note", "train", "export", "quantize"):
        monkeypatch.setattr(stage, name, lambda *arguments: None)
    with pytest.raises(UserError):
        stage.job()
    assert forgotten == []
    missing.clear()
    stage.job()
    assert forgotten == ["cpu1", "cpu2"]
