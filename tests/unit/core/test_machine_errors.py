"""What a machine lacks is one sentence, in stages and in commands."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from project import ROOT

from breakeven.cli import main
from breakeven.cli.commands import table
from breakeven.core.machine_errors import REMEDIES, machine_fault
from breakeven.pipeline.stages._main import run


@pytest.mark.parametrize("number", REMEDIES)
def test_a_fault_of_the_machine_names_the_place_and_the_remedy(number: int) -> None:
    error = OSError(number, os.strerror(number), "results/summary.csv")
    assert machine_fault(error) == f"{os.strerror(number)} (results/summary.csv); {REMEDIES[number]}"


def test_a_bug_is_no_fault_of_the_machine() -> None:
    for error in (OSError(errno.EBADF, "Bad file descriptor"), OSError("no number"), ValueError("x")):
        assert machine_fault(error) == ""


@pytest.mark.parametrize("stage", [["benchmark", "cnn", "cpu1"], ["train", "cnn"]])
def test_a_stage_whose_libraries_do_not_fit_says_so(stage: list[str], tmp_path: Path) -> None:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({10**9}, {10**9}))"
    program = f"{limit}; import runpy, sys; sys.argv = ['x', *{stage}]; "
    program += "runpy.run_module('breakeven.pipeline', run_name='__main__', alter_sys=False)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "too little memory" in done.stderr


def too_many_open_files() -> None:
    """Open files until the machine refuses."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, before[1]))
    held = ExitStack()
    try:
        with held:
            while True:
                held.enter_context(Path(os.devnull).open())  # noqa: SIM115
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_stage_and_a_command_say_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(SystemExit, match="1"):
        run(too_many_open_files)
    sentence = "breakeven: Too many open files (/dev/null); allow more of them (`ulimit -n`)"
    assert capsys.readouterr().err == f"{sentence}, then run `dvc repro` to go on.\n"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "conf").mkdir()
    monkeypatch.setattr(table, "run", lambda arguments: too_many_open_files())
    assert main.main(["table"]) == 1
    assert capsys.readouterr().err == f"{sentence}.\n"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    program = "import sys; from breakeven.cli.main import main; sys.exit(main())"
    command = f'{sys.executable} -c "{program}" time time:time --direct --max-seconds 1 --check off | true'
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
