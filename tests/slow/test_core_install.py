"""The small core: the wheel in a fresh environment, as `pip install breakeven` gives it."""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from built_wheel import build
from project import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MEGABYTES = 300  # of site-packages, at most
ABSENT = ("torch", "dvc", "mlflow", "hydra", "omegaconf", "lightning", "altair", "matplotlib", "sklearn")
TARGETS = """
def spin(rounds):
    def call():
        for _ in range(rounds):
            pass
        return 1
    return call

def short():
    return spin(20_000)

def long():
    return spin(200_000)
"""
EXAMPLE = """
import breakeven, targets
result = breakeven.measure({"short": targets.short, "long": "targets.py:long"}, max_seconds=20, within=0.05)
print(result)
print(result["long"].verdict, result["long"].speedup.high)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("environment")
    began = time.monotonic()
    run(sys.executable, "-m", "venv", ".", cwd=folder)
    interpreter = folder / "bin/python"
    run(interpreter, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=folder)
    print(f"installed in {time.monotonic() - began:.0f} s")
    return interpreter


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that does not see the environment of the tests' own packages."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def names(folder: str) -> set[str]:
    """The files of a folder of the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return {*listed.split()}


def test_the_wheel_holds_the_configuration_and_the_programs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {*archive.namelist()}
        assert {f"breakeven/{name}" for name in names("conf") | names("cpp") | {"dvc.yaml"}} <= inside
        assert {name.removeprefix("src/") for name in names("src")} <= inside
        # Hydra looks for its plugins, here the launchers of sweeps, in packages below `hydra_plugins`.
        own = (
            "breakeven/",
            "breakeven-",
            "hydra_plugins/breakeven_sweep/",
            "hydra_plugins/breakeven_options/",
        )
        assert not [name for name in inside if not name.startswith(own)]
        config = archive.read("breakeven/conf/config.yaml")
    assert config == (ROOT / "conf/config.yaml").read_bytes()


def test_the_installed_package_finds_its_folders(python: Path, tmp_path: Path) -> None:
    code = "from breakeven.core.paths import shipped; print(*map(shipped, ['conf', 'cpp']))"
    for folder in run(python, "-c", code, cwd=tmp_path).stdout.split():
        assert Path(folder).is_dir() and Path(folder).parent.parent.name == "site-packages"


def test_the_core_is_small(python: Path, tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec; print([n for n in {ABSENT!r} if find_spec(n)])"
    assert run(python, "-c", code, cwd=tmp_path).stdout.strip() == "[]"
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 1e6
    print(f"{size:.0f} MB")
    assert size <= MEGABYTES


def test_two_functions_are_timed(python: Path, tmp_path: Path) -> None:
    (tmp_path / "targets.py").write_text(TARGETS)
    *table, last = run(python, "-c", EXAMPLE, cwd=tmp_path).stdout.strip().splitlines()
    verdict, high = last.split()
    assert verdict == "slower" and float(high) < 1
    assert any("long" in line for line in table)


def test_the_command_times_two_functions(python: Path, tmp_path: Path) -> None:
    (tmp_path / "targets.py").write_text(TARGETS)
    command = python.with_name("breakeven")
    targets = ("targets.py:short", "b=targets.py:long")
    printed = run(command, "time", *targets, "--max-seconds", "20", "--within", "5%", cwd=tmp_path).stdout
    assert "slower" in printed


def test_a_study_says_what_it_needs(python: Path, tmp_path: Path) -> None:
    for name in ("dvc.yaml", "params.yaml"):  # of a project that somebody made elsewhere
        (tmp_path / name).touch()
    code = "import sys; from breakeven.cli.main import main; sys.exit(main(['table']) - 1)"
    done = run(python, "-c", code, cwd=tmp_path)
    assert done.stderr.count("\n") == 1 and "pip install 'breakeven[pipeline] @ file:" in done.stderr
