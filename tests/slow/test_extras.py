"""Without the packages of the extras: checked in a process in which nothing has imported them yet."""

import subprocess
import sys

import pytest
from project import ROOT


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_option_says_what_to_install_or_does_without() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "tests/slow/without_extras.py",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
