"""What the README and the documentation say to type."""

import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from project import ROOT

from breakeven.cli import main
from breakeven.config import compose, schema

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES.remove(ROOT / "docs/own-runtime.md")  # test_own_runtime.py types what that page says
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES).replace("\\\n", "")
# A command in the first column of a table
TEXT = re.sub(r"^\| `(breakeven [^`]+)` \|", r"\1 #", TEXT, flags=re.MULTILINE)
COMPOSED = [
    shlex.split(line.partition(" && ")[0], comments=True)[2:]
    for line in TEXT.splitlines()
    if line.startswith("breakeven compose ")
]
COMMANDS = [overrides for overrides in COMPOSED if "study=mine" not in overrides]
OWN = [overrides for overrides in COMPOSED if "study=mine" in overrides]


@pytest.mark.parametrize("overrides", COMMANDS, ids=" ".join)
def test_a_composition_in_the_readme_is_accepted(overrides: list[str]) -> None:
    schema.validate(yaml.safe_load(compose.compose(overrides, conf=ROOT / "conf")))


@pytest.mark.parametrize("overrides", OWN, ids=" ".join)
def test_the_files_for_an_own_model_and_own_data_are_accepted(overrides: list[str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    page = (ROOT / "docs/own-model.md").read_text(encoding="utf-8")
    files = re.findall(r"^## \w+: `(conf/[^`]*)`\n\n```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [name.split("/")[1] for name, _ in files] == ["data", "family", "study"]
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    study = schema.validate(yaml.safe_load(compose.compose(overrides, conf=tmp_path / "conf")))
    assert study.family("mine").data == "mine" and study.option("datasets", "mine").title == "my images"
    assert study.recipes()


OTHERS = [
    shlex.split(line.partition(" && ")[0], comments=True)[1:]
    for line in TEXT.splitlines()
    if line.startswith("breakeven ") and not line.startswith("breakeven compose ")
]


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_command_is_one_that_there_is(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(importlib.import_module(f"breakeven.cli.commands.{words[0]}"), "run", seen.append)
    assert main.main(words) == 0 and len(seen) == 1


def test_there_are_such_commands() -> None:
    assert len(COMMANDS) > 3 and len(OWN) >= 3 and len(OTHERS) > 8
