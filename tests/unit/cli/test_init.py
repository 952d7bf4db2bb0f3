"""`breakeven init`: a project in any folder, which keeps what is there."""

import subprocess
from pathlib import Path

import pytest
import yaml

from breakeven.cli.main import main
from breakeven.config import new_project


def test_an_empty_folder_becomes_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my study"
    assert main(["init", str(folder)]) == 0
    assert {".dvc", ".git", "conf", "dvc.yaml", "params.yaml", "README.md", ".gitignore"} <= {
        path.name for path in folder.iterdir()
    }
    stages = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    assert stages["check_params"]["always_changed"] and "PYTHONPATH" not in str(stages)
    assert yaml.safe_load((folder / "params.yaml").read_text())["study"] == "quick"
    assert not [*(folder / "conf").rglob("*.yaml")]
    capsys.readouterr()
    assert main(["init", str(folder)]) == 1
    assert "this is a project already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["params.yaml", "conf/config.yaml"])
def test_a_folder_of_another_program_is_refused(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / name).write_text("theirs: 1\n")
    assert main(["init", str(tmp_path)]) == 1
    assert "is of another program: choose another folder" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "theirs: 1\n" and not (tmp_path / "dvc.yaml").exists()


def test_an_update_from_elsewhere_keeps_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_project.create(tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    assert main(["compose", "study=reference"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["init", "study", "--update"]) == 0
    assert yaml.safe_load((tmp_path / "study/params.yaml").read_text())["study"] == "reference"


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    (tmp_path / ".gitignore").write_text("secret\n")
    new_project.create(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine\n"
    ignored = (tmp_path / ".gitignore").read_text().splitlines()
    assert ignored[0] == "secret" and "/models/" in ignored


def test_a_folder_in_a_repository_is_a_project_of_its_own(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    new_project.create(tmp_path / "study")
    assert (tmp_path / "study/.dvc").is_dir() and not (tmp_path / "study/.git").exists()


@pytest.mark.parametrize("edit", ["\n# mine\n", ""])
def test_an_update_keeps_what_somebody_has_edited(
    tmp_path: Path, edit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    new_project.create(tmp_path)
    monkeypatch.chdir(tmp_path)
    written = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(written + edit)
    assert main(["init", "--update"]) == (1 if edit else 0)
    assert Path("dvc.yaml").read_text() == written + edit
    assert ("was edited" in capsys.readouterr().err) == bool(edit)


def test_an_update_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    assert main(["init", "--update", str(tmp_path)]) == 1
    assert "was not written by `breakeven init`" in capsys.readouterr().err
