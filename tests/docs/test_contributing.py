"""The worked example of CONTRIBUTING.md: its commands are typed in a copy of the project."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT, copy_files

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]  # it makes the tiny study


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the project whose `.venv` is the environment of this process."""
    folder = tmp_path / "checkout"
    copy_files(folder)
    subprocess.run("git init -q && git add -A", shell=True, cwd=folder, check=True)
    (folder / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    sum_of_path = subprocess.run("pwd -P | cksum", shell=True, cwd=folder, capture_output=True, text=True)
    (folder / f".venv/.ready-{sum_of_path.stdout.split()[0]}").touch()  # as `make setup` leaves it
    return folder


def test_the_worked_example_makes_a_tested_runtime(checkout: Path) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Worked example")[2]
    blocks = re.findall(r"^   ```\n(.*?)^   ```", page, re.DOTALL | re.MULTILINE)
    commands = [line.strip() for block in blocks[:3] for line in block.splitlines()]
    assert len(commands) == 5, "the steps changed: look at what this test leaves out"
    commands.remove("make check")  # it takes a minute, and CI runs it on the same code
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    before = (checkout / "docs/reference/configuration.md").read_text(encoding="utf-8")
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=checkout, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert re.search(r"\b[1-9]\d* passed", done.stdout) and "skipped" not in done.stdout, done.stdout
    after = (checkout / "docs/reference/configuration.md").read_text(encoding="utf-8")
    assert "exported_program" in after and "exported_program" not in before
