"""What the README and the documentation say to type."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from project import ROOT

from breakeven.cli import main
from breakeven.config import compose, schema
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.pipeline import new_family, new_family_files
from breakeven.pipeline.new_family_files import Wish

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
    for name, text in _own_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    study = schema.validate(yaml.safe_load(compose.compose(overrides, conf=tmp_path / "conf")))
    assert study.family("mine").data == "mine" and study.option("datasets", "mine").title == "mine"
    assert study.recipes()


def _own_files() -> dict[str, str]:
    """The three files that the page on one's own model shows."""
    page = (ROOT / "docs/own-model.md").read_text(encoding="utf-8")
    shown = r"^## \w+: `(conf/[^`]*)`\n\n```yaml\n(.*?)^```"
    return dict(re.findall(shown, page, re.MULTILINE | re.DOTALL))


def test_the_study_file_of_the_page_on_settings_is_accepted(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(# @package _global_\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    for name, text in {**_own_files(), "conf/study/mine.yaml": shown}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    study = schema.validate(yaml.safe_load(compose.compose(["study=mine"], conf=tmp_path / "conf")))
    assert {"openvino", "onnxruntime"} <= {*study.runtimes} and study.measure.half_width == 0.005
    assert {*study.quantizations} == {"onnxruntime_static", "openvino_static"}


def test_the_files_that_the_page_shows_are_what_its_command_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "dvc.yaml").touch()  # it is a project
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    (command,) = (words for words in OTHERS if words[:2] == ["new", "mine"] and "mobilenet_v3_small" in words)
    wishes: list[Wish] = []

    def keep(wish: Wish) -> list[Path]:
        wishes.append(wish)
        raise UserError("seen")

    monkeypatch.setattr(new_family, "write", keep)
    assert main.main(command) == 1
    (wish,) = wishes
    assert _own_files() == {
        "conf/data/mine.yaml": new_family_files.data_file(wish, ROOT / "conf")[1],
        "conf/family/mine.yaml": new_family_files.family_file(wish, "mine", ROOT / "conf"),
        "conf/study/mine.yaml": new_family_files.study_file(wish, "mine"),
    }


OTHERS = [
    shlex.split(line.partition(" && ")[0], comments=True)[1:]
    for line in TEXT.splitlines()
    if line.startswith("breakeven ") and not line.startswith("breakeven compose ")
]


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_command_is_one_that_there_is(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(main.module_of(words[0]), "run", seen.append)
    assert main.main(words) == 0 and len(seen) == 1


def test_there_are_such_commands() -> None:
    assert len(COMMANDS) >= 2 and len(OWN) >= 6 and len(OTHERS) > 8
