"""Every command helps, and refuses what it does not know."""

import argparse
import importlib
import shlex
import shutil
from pathlib import Path

import pytest
from conftest import Project
from rows import BASELINE, TWIN, row

from breakeven import cli, compare
from breakeven.errors import UserError


def options(name: str) -> list[argparse.Action]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"breakeven.commands.{name}").arguments(parser)
    return parser._actions


@pytest.mark.parametrize("name", cli.names())
def test_a_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and "example: " in printed
    told = [action.help for action in options(name) if action.help]
    assert len(told) == len(options(name))  # each option says what it is


@pytest.mark.parametrize("name", cli.names())
def test_an_example_is_one_that_the_command_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"breakeven.commands.{name}")
    seen = []
    monkeypatch.setattr(module, "run", seen.append)
    words = shlex.split(module.EXAMPLE.partition("&&")[0].partition("|")[0])
    assert cli.main(words[words.index("breakeven") + 1 :]) == 0 and len(seen) == 1


def test_the_doctor_finds_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "torch" in printed and "onnxruntime" in printed and "MLflow" in printed and "cores" in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hardware", "cpu9"], "did you mean 'cpu1'"),
        (["--family", "cmn"], "did you mean 'cnn'"),
        (["--batch", "7"], "was not measured"),
        (["--max-size-mb", "-1"], "not negative"),
        (["--max-size-mb", "0.000001"], "no recommendation"),
    ],
)
def test_a_recommendation_that_cannot_be_is_a_sentence(
    reproduced: tuple[Project, str],
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(reproduced[0].folder)
    assert cli.main(["recommend", "--no-register", *options]) == 1
    assert said in "".join(capsys.readouterr())


def test_a_recommendation_without_results_is_a_sentence(project: Project) -> None:
    shutil.rmtree(project.folder / "results/benchmark")
    done = project.run("breakeven", "recommend", check=False)
    assert done.returncode == 1 and "dvc repro" in done.stderr and "Traceback" not in done.stderr


def test_stored_results_are_compared_with_the_wider_interval() -> None:
    first = row("none/fp32/onnxruntime", latency_ms_p50=2.0)
    faster = row(
        "none/fp32/onnxruntime", latency_ms_p50=1.0, latency_ms_p50_ci_low=0.95, latency_ms_p50_ci_high=1.05
    )
    change = compare.unpaired(first, faster, wider=1.0, margin=0.01)
    assert change.verdict == "faster" and change.gain and change.gain.value == pytest.approx(2.0)
    assert change.gain.high / change.gain.low > 2.1 / 1.9
    assert compare.unpaired(faster, first, wider=1.0, margin=0.01).worse
    assert compare.unpaired(first, first, wider=1.0, margin=0.01).verdict == "undecided"
    assert compare.unpaired(first, faster, wider=20.0, margin=0.01).verdict == "undecided"


def test_results_of_two_machines_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext
    from dataclasses import replace

    from rows import benchmark

    for name, machine in (("a", "one machine"), ("b", "another machine")):
        rows = [replace(each, machine=machine) for each in (BASELINE, TWIN)]
        folder = tmp_path / name / "results/benchmark"
        folder.mkdir(parents=True)
        benchmark(rows).write(folder / "cnn-cpu1.json")
    monkeypatch.setattr(compare, "restored", lambda revision, *stages: nullcontext(tmp_path / revision))
    with pytest.raises(UserError, match="different machines, or versions: another machine; one machine"):
        compare.stored("a", "b", "cpu1", "*")
    assert [change.variant for change in compare.stored("a", "a", "cpu1", "*")] == ["none/fp32/eager"]
