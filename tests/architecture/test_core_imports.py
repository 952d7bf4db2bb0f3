"""The engine needs none of the extras: what a fresh process imports, and what a command says without them."""

import re
import subprocess
import sys
import tomllib

import pytest
from project import ROOT

from breakeven.core import extras

LATE = set().union(*extras.MODULES.values())
ENGINE = sorted(
    f"breakeven.{folder.replace('/', '.')}.{path.stem}"
    for folder in ("core", "engine", "plugins/hardware")
    for path in (ROOT / "src/breakeven" / folder).glob("*.py")
    if not path.stem.startswith("__")
)
# As if nothing but the core's packages were installed
WITHOUT = f"import sys; sys.modules |= dict.fromkeys({sorted(LATE)!r}); "
DISTRIBUTIONS = {
    **{"scikit-learn": "sklearn", "pillow": "PIL", "pyyaml": "yaml", "hydra-core": "hydra"},
    "hdrhistogram": "hdrh",
}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_engine_imports_nothing_of_an_extra() -> None:
    modules = ["breakeven", "breakeven.cli.main", "breakeven.artifacts.artifact", *ENGINE]
    code = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
    if heavy := {LATE!r} & sys.modules.keys():
        sys.exit(f"{{name}} imports {{heavy}}")
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_help_is_printed_without_any_extra() -> None:
    done = python(WITHOUT + "from breakeven.cli.main import main; main(['--help'])")
    assert done.returncode == 0 and "recommend" in done.stdout, done.stderr


@pytest.mark.parametrize(("command", "extra"), [("table", "pipeline"), ("doctor", "")])
def test_a_command_says_which_extra_it_needs(command: str, extra: str) -> None:
    done = python(WITHOUT + f"from breakeven.cli.main import main; sys.exit(main({command.split()!r}))")
    assert done.returncode == bool(extra), done.stderr
    assert (f"pip install -e '.[{extra}]'" in done.stderr) == bool(extra)
    assert "Traceback" not in done.stderr


def test_sweeps_say_which_extra_they_need() -> None:
    done = python(WITHOUT + "from breakeven.cli.main import sweep; sweep()")
    assert done.returncode == 1
    assert re.fullmatch(r"breakeven: .*pip install -e '\.\[pipeline\]'\n", done.stderr)


def test_a_module_that_no_extra_brings_is_a_bug() -> None:
    assert extras.missing(ModuleNotFoundError(name="breakeven.nowhere")) == ""
    assert "[tracking]" in extras.missing(ModuleNotFoundError(name="mlflow.entities"))


NOT_IMPORTED = {"ruamel.yaml.clib"}  # makes DVC's YAML parser faster


def test_the_named_extra_installs_the_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, modules in extras.MODULES.items():
        packages = {re.split(r"[<>=\[]", line)[0] for line in project["optional-dependencies"][extra]}
        packages -= NOT_IMPORTED
        names = {DISTRIBUTIONS.get(name, name.removesuffix("-python").replace("-", "_")) for name in packages}
        assert modules == names - {"breakeven"}
