"""The command that installs an extra names where this package came from."""

import json
from pathlib import Path

import pytest

from breakeven.core import extras

HERE = {"url": Path.cwd().as_uri(), "dir_info": {}}
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
        (HERE, "pip install '.[openvino]'"),
        ({"url": "file:///a%20clone", "dir_info": {}}, "pip install '/a clone[openvino]'"),
        (WHEEL, f"pip install 'breakeven[openvino] @ {WHEEL['url']}'"),
        (GIT, "pip install 'breakeven[openvino] @ git+https://example.org/breakeven.git@abc'"),
        (None, "pip install 'breakeven[openvino]'"),  # of an index
    ],
)
def test_an_extra_is_installed_from_where_the_package_came(note, command, monkeypatch):
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed(note))
    monkeypatch.setattr(extras, "__file__", "/site-packages/breakeven/core/extras.py")
    assert extras.install_command("openvino") == command


def test_a_checkout_names_itself_whatever_is_installed(monkeypatch, tmp_path):
    checkout = Path(extras.__file__).parents[3]
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed(WHEEL))
    monkeypatch.chdir(checkout)
    assert extras.install_command("openvino") == "pip install -e '.[openvino]'"
    monkeypatch.chdir(tmp_path)
    assert extras.install_command() == f"pip install -e '{checkout}'"
