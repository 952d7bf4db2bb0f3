"""`breakeven load-test`: its table, its file, its exit codes, and one sentence for a mistake."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import ask, running
from project import ROOT

from breakeven.cli import main

pytestmark = pytest.mark.timeout(120)
QUICK = ["--seconds", "0.5", "--warm-up", "0.1", "--max-lateness-ms", "1e6"]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with running() as url:
        yield url


def test_the_table_and_the_file_have_the_figures(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    file = tmp_path / "load.json"
    assert main.main(["load-test", service, "--rate", "100", *QUICK, "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    for words in ("p50", "p99.9", "max", "mean", "No bound of p99 at 95%: too few requests", "was late by"):
        assert words in " ".join(printed.split())
    read = json.loads(file.read_text())
    assert read["answered"] == read["requests"] == sum(read["histogram_us"]["buckets"].values())
    assert read["histogram_us"]["encoded"].startswith("HIST") and not read["interrupted"]
    assert read["settings"]["rate"] == 100 and read["latency_ms"]["p50"] <= read["latency_ms"]["max"]


def test_a_bound_and_a_closed_loop(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    # A bound takes 299 requests: on a busy machine as many as come in some 0.7 s.
    assert main.main(["load-test", service, "--closed", "4", *QUICK, "--seconds", "2"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "closed loop of 4 callers" in printed and "a stall hides" in printed
    assert "p99 is at most" in printed and "with 95% confidence" in printed


def test_errors_alone_are_exit_code_1(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["load-test", f"{service}/busy", "--rate", "100", *QUICK]) == 1
    printed = capsys.readouterr().out
    assert "HTTP 503" in printed and "p99.9" not in printed


def test_a_void_run_shows_no_figures_and_is_exit_code_3(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "load.json"
    command = ["load-test", service, "--rate", "100000", "--seconds", "0.02", "--warm-up", "0"]
    assert main.main([*command, "--json", str(file)]) == 3
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("breakeven: void: the load generator itself sent ")
    assert printed.err.count("\n") == 1
    read = json.loads(file.read_text())
    assert read["void"] and read["latency_ms"] is None and read["histogram_us"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["http://127.0.0.1:8/", "--rate", "1"], "no service listens there"),
        (["http://192.0.2.1/", "--rate", "1"], "192.0.2.1 is not this machine"),
        (["http://127.0.0.1:8/"], "give --rate for an open loop, or --closed"),
        (["http://127.0.0.1:8/", "--rate", "1", "--core", "-1"], "--core -1: this process may use"),
        (["predict", "--rate", "1"], "predict: is no address that starts with http://"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_load(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["load-test", *words]) == 1
    printed = capsys.readouterr()
    assert said in printed.err and printed.err.count("\n") == 1 and not printed.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "0"], "--rate: 0: give a number above 0"),
        (["--rate", "nan"], "--rate: nan: give a number above 0"),
        (["--rate", "inf"], "--rate: inf: give a number above 0"),
        (["--closed", "0"], "--closed: 0: give a whole number above 0"),
        (["--seconds", "-1"], "--seconds: -1: give a number above 0"),
        (["--warm-up", "-1"], "--warm-up: -1: give a number of 0 or more"),
        (["--timeout", "0"], "--timeout: 0: give a number above 0"),
        (["--connections", "0"], "--connections: 0: give a whole number above 0"),
        (["--max-lateness-ms", "-1"], "--max-lateness-ms: -1: give a number of 0 or more"),
    ],
)
def test_a_number_that_makes_no_sense_is_wrong_usage(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["load-test", "http://127.0.0.1:8/", *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_sentence(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["load-test", service, "--rate", "1", "--file", "none.png"]) == 1
    assert "--file none.png: cannot be read" in capsys.readouterr().err


def test_ctrl_c_shows_what_was_measured_until_then(service: str, tmp_path: Path) -> None:
    file, body = tmp_path / "load.json", tmp_path / "body.json"
    body.write_text("{}")
    program = "import sys; from breakeven.cli.main import main; sys.exit(main())"
    load = ["--rate", "100", "--seconds", "60", "--warm-up", "0", "--max-lateness-ms", "1e6"]
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            program,
            "load-test",
            service,
            *load,
            "--file",
            str(body),
            "--json",
            str(file),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for_bodies(service, 20)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "the figures are those until then" in err and "Traceback" not in err
    assert "p50" in out and json.loads(file.read_text())["interrupted"]


def wait_for_bodies(service: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(ask(f"{service}/bodies")) >= count:
            return
        time.sleep(0.1)
    raise AssertionError("no load")
