"""What the README says to type."""

import shlex

import pytest
import yaml
from conftest import ROOT

from breakeven import compose, config

TEXT = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", "")
COMMANDS = [
    shlex.split(line.partition(" && ")[0], comments=True)[2:]
    for line in TEXT.splitlines()
    if line.startswith("breakeven compose ") and "study=mine" not in line
]


@pytest.mark.parametrize("overrides", COMMANDS, ids=" ".join)
def test_a_composition_in_the_readme_is_accepted(overrides: list[str]) -> None:
    config.parse(yaml.safe_load(compose.compose(overrides, conf=ROOT / "conf")))


def test_there_are_such_commands() -> None:
    assert len(COMMANDS) > 3
