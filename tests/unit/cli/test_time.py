"""`breakeven time`: names, shapes, shares, exit codes, and another commit."""

import json
import subprocess
from argparse import ArgumentTypeError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cli.commands import time
from breakeven.cli.main import main
from breakeven.core.errors import UserError
from breakeven.engine.result import Result, TimedVariant
from breakeven.engine.statistics import Interval

pytestmark = pytest.mark.timeout(300)
FILE = """
import time

def fast():
    return lambda *inputs: time.sleep(0.001)

def slow():
    return lambda *inputs: time.sleep(0.03)

def wrong():
    return lambda *inputs: 1

def direct(x):
    assert x.shape == (2, 3)
    time.sleep(0.001)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "calls.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def result(*others: TimedVariant) -> Result:
    base = TimedVariant("a", "baseline")
    return Result({"a": base, **{each.name: each for each in others}}, "a", None, "", 1.0, [], 0.95, 0.01)


@given(st.floats(0.5, 2), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_gate_fails_only_if_the_whole_interval_is_beyond(value: float, half: float, allowed: float) -> None:
    gain = Interval(value, value / (1 + half), value * (1 + half))
    verdict = "slower" if gain.high < 1 else "faster" if gain.low > 1 else "undecided"
    code = time.exit_code(result(TimedVariant("b", verdict, speedup=gain)), allowed)
    least = 1 / (1 + allowed)
    assert code == (1 if gain.high < least and gain.high < 1 else 0 if gain.low >= least else 3)


@pytest.mark.parametrize("verdict", ["failed", "wrong", "unsupported"])
def test_a_target_that_fails_has_a_code_of_its_own(verdict: str) -> None:
    slower = TimedVariant("c", "slower", speedup=Interval(0.5, 0.4, 0.6))
    assert time.exit_code(result(TimedVariant("b", verdict), slower), 0.02) == 2
    assert time.exit_code(result(slower), None) == 0
    assert time.exit_code(result(slower), 0.02) == 1


def test_names_are_given_or_the_functions_and_never_twice() -> None:
    assert list(time.name_targets(["a.py:f", "x=a.py:f", "b.m:g.h"])) == ["f", "x", "g.h"]
    assert list(time.name_targets(["a.py:f", "b.py:f"])) == ["a.py:f", "b.py:f"]
    for targets in (["x=a.py:f", "x=b.py:f"], ["a.py:f", "a.py:f"], ["=a.py:f"]):
        with pytest.raises(UserError):
            time.name_targets(targets)


def test_shapes_and_shares_are_read() -> None:
    assert time.shape("1x3x224x224") == (1, 3, 224, 224) and time.shape("7") == (7,)
    assert time.share("2%") == time.share("0.02") == 0.02
    for read, text in ((time.shape, "1x0"), (time.shape, "3y3"), (time.share, "two"), (time.width, "0%")):
        with pytest.raises(ArgumentTypeError):
            read(text)


def test_a_gate_in_real_processes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["time", "calls.py:fast", "calls.py:slow", "--max-seconds", "5", "--fail-if-slower", "2%"]
    code = main([*command, "--json", "out.json"])
    read = json.loads((folder / "out.json").read_text())
    interval = read["variants"]["slow"]["speedup"]
    assert code == (
        1 if interval["high"] < 1 / 1.02 and read["variants"]["slow"]["verdict"] == "slower" else 3
    )
    assert interval["value"] < 1
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_function_itself_with_an_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["time", "calls.py:direct", "--direct", "--input", "2x3", "--max-seconds", "1"]) == 0
    assert "A/A run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["calls.py:fast", "calls.py:wrong"], "wrong is wrong: output is 1, not None"),
        (["calls.py:nothing"], "there is no 'nothing'"),
        (["nowhere:f"], "nowhere"),
        (["calls"], "name a target as file.py:function"),
        (["calls.py:fast", "--against", "x"], "--against x: is none of the targets fast"),
        (["calls.py:fast", "--at", "main"], "--at main"),
        (["calls.py:fast", "--threads", "0"], "--threads 0"),
        (["calls.py:fast", "--fail-if-slower", "2%"], "has nothing to be slower than"),
    ],
)
def test_mistakes_are_one_sentence_and_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["time", *arguments, "--max-seconds", "5"]) == 2
    said = capsys.readouterr()
    assert message in said.out + said.err and "Traceback" not in said.out + said.err


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("target", ["pkg.calls:f", "src/pkg/calls.py:f"])
def test_the_same_target_in_another_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "src/pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    code = "import time\ndef f():\n    return lambda: time.sleep({})\n"
    (package / "calls.py").write_text(code.format(0.001))
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    (package / "calls.py").write_text(code.format(0.02))
    arguments = ["time", target, "--at", "main", "--max-seconds", "1", "--json", "out.json"]
    assert main(arguments) == 0
    read = json.loads(Path("out.json").read_text())
    assert read["baseline"] == "f@main" and list(read["variants"]) == ["f@main", "f"]
    assert read["variants"]["f"]["time_s"]["value"] > read["variants"]["f@main"]["time_s"]["value"]
    assert len(git("worktree", "list").splitlines()) == 1  # the temporary one is removed
    capsys.readouterr()
    assert main(["time", "json:loads", "--at", "main"]) == 2
    assert "not from the other commit" in capsys.readouterr().err
    assert main(["time", target, "--at", "nosuch"]) == 2
    assert "there is no such commit" in capsys.readouterr().err
