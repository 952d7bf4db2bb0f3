"""A page is published from a commit, or with the user's consent."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.cli import main
from breakeven.core import git, paths


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with one commit and no results; `commit` looks at each tree anew."""
    (tmp_path / "results").mkdir()
    for name in ("dvc.lock", "dvc.yaml", "results/summary.csv", "README.md"):
        (tmp_path / name).write_text("committed\n")
    author = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "start")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(paths.HOME_VARIABLE, raising=False)
    git.commit.cache_clear()
    yield tmp_path
    git.commit.cache_clear()


def test_a_dirty_tree_is_refused_in_one_sentence(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "README.md").write_text("changed\n")
    assert main.main(["publish", "page.md"]) == 1
    printed = capsys.readouterr().err
    assert "differs from commit" in printed and "--allow-dirty" in printed
    assert len(printed.splitlines()) == 1 and not (tree / "page.md").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [("README.md", ["--allow-dirty"]), ("dvc.lock", []), ("results/summary.csv", [])],
)
def test_results_or_consent_go_on_to_the_study(
    tree: Path, changed: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / changed).write_text("changed\n")
    assert main.main(["publish", "page.md", *words]) == 1
    assert "params.yaml" in capsys.readouterr().err  # the next thing that is missing
