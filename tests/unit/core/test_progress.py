"""Progress: what it says is known, a log stays plain, and nothing draws while a block is timed."""

import io
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fakes
import pytest
from fake_artifacts import BUDGET, fake
from hydra import compose, initialize_config_dir
from project import ROOT, Project

from breakeven.core import paths, progress
from breakeven.core.download import download
from breakeven.core.estimate import Estimate, time_left
from breakeven.core.progress import CLEAR_LINE, shown
from breakeven.engine.measure import measure_artifacts
from breakeven.pipeline.benchmark import _tell
from breakeven.pipeline.sweep.plan import Plan, jobs_at_once
from breakeven.results.sweep_results import CACHED, DONE, FAILED, JobOutcome

WORK = """
import sys, threading, time
from breakeven.core.progress import counted
with counted("bake", 3, every_s=0) as count:
    for what in ("bread", "a very long cake " * 30, "rolls"):
        count.begin(what)
        print("smells", what[:5], flush=True)
        time.sleep(float(sys.argv[1]))
        count.end()
assert threading.active_count() == 1
"""


@pytest.mark.parametrize(
    ("seconds", "about", "at_most"),
    [
        (0.2, "less than 10 s left", "less than 10 s left"),
        (12, "about 10 s left", "at most 20 s left"),
        (50, "about 50 s left", "at most 50 s left"),
        (58, "about 1 min left", "at most 1 min left"),
        (12.2 * 60, "about 12 min left", "at most 13 min left"),
        (59.8 * 60, "about 1 h left", "at most 1 h left"),
        (3600 + 42 * 60, "about 1 h 40 min left", "at most 1 h 50 min left"),
        (30 * 3600, "about 30 h left", "at most 30 h left"),
    ],
)
def test_the_time_left_in_words(seconds: float, about: str, at_most: str) -> None:
    assert (time_left(seconds), time_left(seconds, at_most=True)) == (about, at_most)


def test_nothing_is_claimed_before_the_first_is_finished() -> None:
    estimate = Estimate(4)
    assert estimate.left() == ""
    estimate.finish(120)
    assert estimate.left() == "about 6 min left"
    assert estimate.left(begun=0.5) == "about 5 min left"
    for _ in range(3):
        estimate.finish(120)
    assert estimate.left() == ""


def test_what_was_there_already_says_nothing_of_how_long_the_others_take() -> None:
    estimate = Estimate(5)
    estimate.finish(None)
    assert estimate.left() == ""
    estimate.finish(60)
    assert estimate.left() == "at most 3 min left"  # those may be there, too


def test_units_of_unequal_size_count_by_their_work() -> None:
    estimate = Estimate(0.25 + 0.25 + 1 + 1)  # images of half the side, then whole ones
    estimate.finish(60, 0.25)
    estimate.finish(60, 0.25)
    assert estimate.left() == "about 8 min left"


def outcome(status: str, seconds: float) -> JobOutcome:
    return JobOutcome("a title", [], status, "a key", "", seconds)


@pytest.mark.parametrize(
    ("plan", "ended", "said"),
    [
        (Plan(4, 1), [], ""),
        (Plan(4, 1), [outcome(CACHED, 0.1)], ""),
        (Plan(4, 1), [outcome(FAILED, 3)], ""),
        (Plan(4, 1), [outcome(DONE, 600)], ", about 30 min left"),
        (Plan(4, 1), [outcome(DONE, 600), outcome(FAILED, 3)], ", about 20 min left"),
        (Plan(4, 1), [outcome(CACHED, 0.1), outcome(DONE, 600)], ", at most 20 min left"),
        (Plan(4, 1), [outcome(DONE, 600)] * 4, ""),
        (Plan(5, 2), [outcome(DONE, 600)], ", 1 of 5 ended, about 20 min left"),
        (Plan(5, None), [outcome(DONE, 600)] * 2, ", 2 of 5 ended"),  # nobody knows how many run at once
    ],
)
def test_the_time_left_of_a_sweep_is_that_of_the_jobs_that_were_made(
    plan: Plan, ended: list[JobOutcome], said: str
) -> None:
    assert plan.far(ended) == said


@pytest.mark.parametrize(
    ("launcher", "at_once"), [("basic", 1), ("parallel", 2), ("submitit", None), ("slurm", None)]
)
def test_a_launcher_says_how_many_jobs_run_at_once(launcher: str, at_once: int | None) -> None:
    with initialize_config_dir(str(ROOT / paths.CONF), version_base="1.3"):
        settings = compose("sweep", [f"hydra/launcher={launcher}"], return_hydra_config=True)
    assert jobs_at_once(settings.hydra) == at_once


def in_terminal(*commands: list[str], interrupt: bool = False) -> str:
    """What a terminal gets of these, all at once in one."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    started, seen = [], b""
    for command in commands:
        started.append(subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment))
        seen += os.read(controller, 1) if len(commands) > 1 and len(started) == 1 else b""
    if interrupt:
        while b"bread" not in seen:
            seen += os.read(controller, 1)
        started[0].send_signal(signal.SIGINT)
    for process in started:
        process.wait(60)
    os.close(terminal)
    try:
        while block := os.read(controller, 65536):
            seen += block
    except OSError:  # how Linux says that the last one has left
        pass
    os.close(controller)
    return seen.decode()


def work(seconds: float = 0.0) -> list[str]:
    return [sys.executable, "-c", WORK, str(seconds)]


def test_a_terminal_gets_one_bar_on_one_line_with_the_rest_above_it() -> None:
    seen = in_terminal(work())
    assert "\x1b[?25l" not in seen  # the cursor stays: who is killed could not bring it back
    assert "\x1b[1A" not in seen  # nothing is drawn over a line above
    last = seen.rstrip("\r\n").split(CLEAR_LINE)[-1]
    assert "bake" in last and "3 of 3" in last
    assert seen.endswith("\n")
    for what in ("smells bread", "smells rolls"):
        assert f"{CLEAR_LINE}{what}" in seen


def test_an_interrupted_bar_ends_with_its_line() -> None:
    seen = in_terminal(work(30), interrupt=True)
    bar, _, rest = seen.partition("Traceback")
    assert "1 of 3: bread" in bar and bar.endswith("\n")
    assert "KeyboardInterrupt" in rest and CLEAR_LINE not in rest


def test_two_processes_in_one_terminal_have_one_bar() -> None:
    seen = in_terminal(work(1), work(0.3))
    assert f"{CLEAR_LINE}bake: 1 of 3: bread\r\n" in seen  # the second's: lines that begin where the bar was
    assert "━" in seen


@pytest.mark.parametrize("more", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_pipe_gets_plain_lines(more: dict[str, str]) -> None:
    done = subprocess.run(work(), capture_output=True, text=True, check=True, env={**os.environ, **more})
    assert not [sign for sign in done.stdout + done.stderr if ord(sign) < 32 and sign != "\n"]
    lines = done.stderr.splitlines()
    assert lines[0] == "bake: 1 of 3: bread"
    assert lines[2] == "bake: 3 of 3: rolls, less than 10 s left"
    assert done.stdout.splitlines()[0] == "smells bread"


class Terminal(io.StringIO):
    """A stream that is one, and remembers what it was given."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.number


@contextmanager
def a_terminal() -> Iterator[Terminal]:
    """In the place of what pytest captures with; no fixture, because pytest changes that after those."""
    controller, number = pty.openpty()
    stream = Terminal(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, stream)
        yield stream
    os.close(number)
    os.close(controller)


def test_nothing_is_drawn_while_a_replicate_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
    before, drawn = set(threading.enumerate()), []

    with a_terminal() as terminal, shown("cnn on cpu1", 1) as told:
        size = len(terminal.getvalue())

        def step(tell: object, going: object) -> None:
            nonlocal size
            assert len(terminal.getvalue()) == size  # since the last time
            assert set(threading.enumerate()) <= before
            tell(going)  # type: ignore[operator]
            drawn.append(terminal.getvalue()[size:])
            size = len(terminal.getvalue())

        budget = replace(BUDGET, min_replicates=3)
        measure_artifacts(
            fake(tmp_path, "base"),
            fakes.CPU1,
            budget,
            fakes.IMAGES,
            progress=partial(step, partial(_tell, told)),
        )
    assert [f"replicate {number}" in text for number, text in enumerate(drawn, 1)] == [True] * 3
    assert "left" in drawn[0] and "left" not in drawn[2]


def test_a_block_inside_of_another_prints_lines_above_its_bar() -> None:
    with a_terminal() as terminal:
        with shown("outer", 2), shown("inner", 2) as inner:
            inner.tell(1, "half")
        assert "inner: half" in terminal.getvalue()
        assert sys.stderr is terminal and sys.stdout is terminal


def test_a_log_says_how_far_each_stage_is(reproduced: tuple[Project, str]) -> None:
    _, printed = reproduced
    lines = printed.splitlines()
    first, last = (next(line for line in lines if f"cnn/none: epoch {n}/2" in line) for n in (1, 2))
    assert first.endswith(" left") and "val accuracy" in first and not last.endswith(" left")
    for text in ("export cnn: 1 of ", "quantize cnn: 1 of ", "cnn on cpu1, batch 1: replicate 1, "):
        assert any(text in line for line in lines), text


class Server(BaseHTTPRequestHandler):
    """Gives a hundred bytes, or breaks off after ten."""

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"a" * (10 if self.path == "/broken" else 100))

    def log_message(self, *_: object) -> None:
        pass


def test_a_download_is_whole_or_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "TOLD_EVERY_S", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        download([f"{address}/missing", f"{address}/whole"], tmp_path / "whole.bin")
        assert (tmp_path / "whole.bin").read_bytes() == b"a" * 100
        assert "download whole.bin: 0.0 of 0.0 MB" in capsys.readouterr().err
        with pytest.raises(OSError, match="broke off after 10 of 100 bytes"):
            download([f"{address}/broken"], tmp_path / "broken.bin")
        server.shutdown()
    assert [path.name for path in tmp_path.iterdir()] == ["whole.bin"]


def test_many_small_things_are_told_only_when_they_take_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(progress.track("read", range(3))) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "TOLD_EVERY_S", 0)
    assert list(progress.track("read", range(3))) == [0, 1, 2]
    assert capsys.readouterr().err.splitlines()[0] == "read: 1 of 3, less than 10 s left"
