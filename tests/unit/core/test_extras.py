"""The command that installs an extra names where this package came from."""

import importlib.metadata
import json
from pathlib import Path

import pytest

from breakeven.core import extras

HERE = {"url": Path.cwd().as_uri(), "dir_info": {"editable": True}}
WHEEL = {"url": "file:///tmp/a%20b/breakeven-1-py3-none-any.whl", "archive_info": {}}
GIT = {"url": "https://example.org/breakeven.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}


class Installed:
    """A package whose note of its origin is given."""

    def __init__(self, note: object) -> None:
        self.note = json.dumps(note) if note else None

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.note


@pytest.mark.parametrize(
    ("note", "command"),
    [
        (HERE, "pip install -e '.[openvino]'"),
        ({"url": "file:///a%20clone", "dir_info": {}}, "pip install '/a clone[openvino]'"),
        (WHEEL, f"pip install 'breakeven[openvino] @ {WHEEL['url']}'"),
        (GIT, "pip install 'breakeven[openvino] @ git+https://example.org/breakeven.git@abc'"),
        (None, "pip install 'breakeven[openvino]'"),  # of an index
    ],
)
def test_an_extra_is_installed_from_where_the_package_came(note, command, monkeypatch):
    monkeypatch.setattr(extras, "distribution", lambda name: Installed(note))
    monkeypatch.setattr(extras, "__file__", "/site-packages/breakeven/core/extras.py")
    assert extras.install_command("openvino") == command


@pytest.mark.parametrize("is_installed", [False, True], ids=["on the path", "with the notes of a build"])
def test_a_checkout_that_is_not_installed_names_itself(is_installed, monkeypatch, tmp_path):
    def found(name: str) -> Installed:
        if is_installed:
            return Installed(None)
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(extras, "distribution", found)
    monkeypatch.chdir(tmp_path)
    checkout = Path(extras.__file__).parents[3]
    assert extras.install_command() == f"pip install -e '{checkout}'"
