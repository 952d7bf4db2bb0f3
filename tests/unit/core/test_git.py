"""The commit and the machine that made something."""

import pytest

from breakeven.core import git
from breakeven.core.git import here


def test_here_names_the_machine_and_the_commit() -> None:
    assert {"machine", "mlflow.source.git.commit", "dirty"} == here().keys()
    assert "cores" in here()["machine"]


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert git.commit.__wrapped__() == ("", False)
