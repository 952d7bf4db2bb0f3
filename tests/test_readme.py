"""What the README and the documentation say to type."""

import importlib
import shlex

import pytest
import yaml
from conftest import ROOT

from breakeven import cli, compose, config

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES).replace("\\\n", "")
COMMANDS = [
    shlex.split(line.partition(" && ")[0], comments=True)[2:]
    for line in TEXT.splitlines()
    if line.startswith("breakeven compose ") and "study=mine" not in line
]


@pytest.mark.parametrize("overrides", COMMANDS, ids=" ".join)
def test_a_composition_in_the_readme_is_accepted(overrides: list[str]) -> None:
    config.parse(yaml.safe_load(compose.compose(overrides, conf=ROOT / "conf")))


OTHERS = [
    shlex.split(line.partition(" && ")[0], comments=True)[1:]
    for line in TEXT.splitlines()
    if line.startswith("breakeven ") and not line.startswith("breakeven compose ")
]


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_command_is_one_that_there_is(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(importlib.import_module(f"breakeven.commands.{words[0]}"), "run", seen.append)
    assert cli.main(words) == 0 and len(seen) == 1


def test_there_are_such_commands() -> None:
    assert len(COMMANDS) > 3 and len(OTHERS) > 8
