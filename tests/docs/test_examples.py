"""The files in examples/ run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

pytestmark = pytest.mark.timeout(300)
COMMAND = f"#!{sys.executable}\nimport sys\nfrom breakeven.cli.main import main\nsys.exit(main())\n"


def run(arguments: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **variables}
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True)


def test_two_functions(tmp_path: Path) -> None:
    done = run([sys.executable, str(ROOT / "examples/time_two_functions.py"), "3"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Counter" in done.stdout and "twin" in done.stdout and "times as fast" in done.stdout


@pytest.mark.slow
def test_a_gate_for_ci(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "breakeven").write_text(COMMAND)
    (tools / "breakeven").chmod(0o755)
    project = tmp_path / "project"
    project.mkdir()
    gate = shutil.copy(ROOT / "examples/ci_gate/gate.sh", project / "gate.sh")
    code = "import time\ndef f():\n    return lambda: time.sleep({})\n"
    (project / "calls.py").write_text(code.format(0.001))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=project, check=True)
    (project / "calls.py").write_text(code.format(0.2))
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    done = run([str(gate), "calls.py:f", "main", "1"], project, PATH=path)
    assert done.returncode == 1, done.stdout + done.stderr  # 200 times as slow: no noise hides that
    assert "f takes" in done.stdout and (project / "gate.json").exists()
    assert run([str(gate), "calls.py:nothing"], project, PATH=path).returncode == 2
