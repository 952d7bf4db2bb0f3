"""Ctrl-C ends a program with one line: while it imports, pressed twice, and in a library's clean-up."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
# In steps: a signal that comes just before the system call of a long sleep does not wake it.
PROGRAM = """
import time as clock
from types import SimpleNamespace

time = SimpleNamespace(sleep=lambda seconds: [clock.sleep(0.05) for _ in range(round(20 * seconds))])
from breakeven.core import interrupts

interrupts.handle("interrupted; run the same command to go on")
print("ready", flush=True)
{body}
"""
BODIES = {
    "work": "time.sleep(60)",
    "an import that turns it into its own error": (
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise ImportError('half made') from None"
    ),
    "a clean-up that takes a moment": "try:\n    time.sleep(60)\nfinally:\n    time.sleep(0.5)",
    "a clean-up that hangs": "try:\n    time.sleep(60)\nfinally:\n    time.sleep(60)",
    "a library that swallows it": (
        "try:\n    time.sleep(60)\nexcept BaseException:\n    pass\ntime.sleep(60)"
    ),
}


def interrupted(command: list[str], presses: list[float], patient: bool) -> tuple[int, str]:
    """Return the exit code and what was printed to stderr after Ctrl-C at these times, once it is ready.

    An impatient user goes on until it has ended.
    """
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        for pause in presses:
            time.sleep(pause)
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 30
        while not patient and process.poll() is None and time.monotonic() < deadline:
            time.sleep(1.2)
            process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=30)
        return process.returncode, printed


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("presses", [[0.0], [0.0, 0.1], [0.1, 0.1, 0.1, 1.2]], ids=len)
def test_it_is_one_line_and_an_exit_code(kind: str, presses: list[float]) -> None:
    command = [sys.executable, "-c", PROGRAM.format(body=BODIES[kind])]
    code, printed = interrupted(command, presses, "hangs" not in kind and "swallows" not in kind)
    assert (code, printed) == (130, "breakeven: interrupted; run the same command to go on.\n")


def test_another_error_keeps_its_traceback() -> None:
    program = PROGRAM.format(body="1 / 0")
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("module", ["train", "export", "benchmark", "report"])
def test_a_stage_that_is_importing_is_one_line(module: str, tmp_path: Path) -> None:
    """It imports for seconds before its first line is executed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Tell:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('torch', 'breakeven.config.schema'):\n"
        "            sys.meta_path.remove(self)\n"
        "            print('ready', flush=True)\n"
        "            import time\n"
        "            time.sleep(30)\n"
        "sys.meta_path.insert(0, Tell())\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    with subprocess.Popen(
        [sys.executable, "-m", "breakeven.pipeline", module],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        for _ in range(2):
            process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=30)
    assert (process.returncode, printed) == (130, "breakeven: interrupted; run `dvc repro` to go on.\n")


def test_sigterm_while_an_option_is_imported_is_no_fault_of_the_option(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/slow_runtime.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    program = (
        "from breakeven.core import plugin\nfrom breakeven.pipeline.stages import _main\n"
        "_main.run(lambda: plugin.load('runtimes', {'name': 'own.slow_runtime'}, 'runtimes.slow'))\n"
    )
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM and "cannot be imported" not in done.stderr
