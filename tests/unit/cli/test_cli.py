"""Every command helps, and refuses what it does not know."""

import argparse
import shlex
import shutil
import socket

import pytest
from project import Project

from breakeven.cli import machine_checks, main
from breakeven.cli.machine_checks import Check


def options(name: str) -> list[argparse.Action]:
    parser = argparse.ArgumentParser()
    main.module_of(name).arguments(parser)
    return parser._actions


@pytest.mark.parametrize("name", main.names())
def test_a_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([name, "--help"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and "example: " in printed
    told = [action.help for action in options(name) if action.help]
    assert len(told) == len(options(name))  # each option says what it is


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_help_fits_and_lists_each_command_once_in_a_group(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        main.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2:3].isalpha()]
    assert sorted(listed) == main.names()
    headings = [line.rstrip(":") for line in lines if line.rstrip(":") in main.GROUPS]
    assert headings == [name for name in main.GROUPS if name in headings] and len(headings) > 3


@pytest.mark.parametrize("name", main.names())
def test_an_example_is_one_that_the_command_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = main.module_of(name)
    seen = []
    monkeypatch.setattr(module, "run", seen.append)
    words = shlex.split(module.EXAMPLE.partition("&&")[0].partition("|")[0])
    assert main.main(words[words.index("breakeven") + 1 :]) == 0 and len(seen) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["recommend", "--max-accuracy-drop", "two"], "--max-accuracy-drop: 'two' is not a number."),
        (["time", "x.py:f", "--threads", "1.5"], "--threads: '1.5' is not a whole number."),
        (["recomend"], "the command 'recomend' is unknown; did you mean 'recommend'?"),
        (["table", "--wied"], "the option --wied is unknown; did you mean '--wide'?"),
        (["table", "--jsn=x"], "the option --jsn is unknown; did you mean '--json'?"),
        (["table", "resnet18"], "resnet18: nothing is expected here."),
        (["new"], "the following arguments are required: name."),
    ],
)
def test_a_mistake_gets_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    printed = capsys.readouterr()
    assert ended.value.code == 2 and not printed.out
    assert printed.err.startswith(f"breakeven: {said}") and printed.err.count("\n") == 1
    assert printed.err.endswith(" --help` says more.\n")


def test_the_doctor_finds_what_is_here_and_sums_it_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert any(line.startswith(("Ready", "Not ready: ")) for line in lines[-3:])
    assert max(len(line) for line in lines if len(line.split()) > 2) <= 80
    assert "torch" in printed and "onnxruntime" in printed and "MLflow" in printed and "cores" in printed


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ([Check("a", True)], "Ready: every check is fine."),
        ([Check("a", True), Check("b: no", False)], "or how well: b."),
        ([Check("a", False), Check("b (x): no", False)], "or how well: a; b."),
        ([Check("a", False, needed=True), Check("b", False)], "Not ready: first mend what "),
    ],
)
def test_the_last_line_of_the_doctor_says_whether_it_works(checks: list[Check], said: str) -> None:
    assert said in machine_checks.summary(checks)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hardware", "cpu9"], "did you mean 'cpu1'"),
        (["--family", "cmn"], "did you mean 'cnn'"),
        (["--batch", "7"], "was not measured"),
        (["--callers", "2"], "of which --scenario, server_threads"),
        (["--max-size-mb", "-1"], "not negative"),
        (["--max-size-mb", "0.000001"], "No recommendation"),
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
    assert main.main(["recommend", "--no-register", *options]) == 1
    assert said in "".join(capsys.readouterr())


def test_a_recommendation_without_results_is_a_sentence(project: Project) -> None:
    shutil.rmtree(project.folder / "results/benchmark")
    done = project.run("breakeven", "recommend", check=False)
    assert done.returncode == 1 and "dvc repro" in done.stderr and "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_a_sentence_with_another(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main.main(["ui", "--port", str(port)]) == 1
    assert f"--port {port}: Address already in use: breakeven ui --port {port + 1}" in capsys.readouterr().err
    assert main.main(["ui", "--port", "70000"]) == 1
    assert "from 0 to 65535" in capsys.readouterr().err
