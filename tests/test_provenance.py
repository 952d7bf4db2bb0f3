"""What stands for a model's source: its file, its version, or the user's files."""

from importlib import metadata
from pathlib import Path

import pytest

from breakeven.files import sha256
from breakeven.provenance import here, source


def test_a_model_of_the_package_is_its_own_file() -> None:
    import breakeven.model.cnn as module

    expected = {"cnn.py": sha256(Path(module.__file__))}
    assert source("breakeven.model.cnn.cnn") == source("breakeven.model.cnn:cnn") == expected


def test_an_installed_package_is_its_version() -> None:
    assert source("torchvision.models.resnet18") == {"torchvision": metadata.version("torchvision")}


@pytest.mark.parametrize("layout", ["mine.py", "mine/net.py"])
def test_a_users_own_module_is_all_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / layout
    file.parent.mkdir(exist_ok=True)
    if file.parent != tmp_path:
        (file.parent / "__init__.py").touch()
    file.write_text("def net(): ...")
    before = source("mine.net")
    assert before[file.name] == sha256(file)
    file.write_text("def net(): return 1")
    assert source("mine.net") != before


@pytest.mark.parametrize("target", ["nowhere.at.all", "", "None"])
def test_what_does_not_exist_has_no_source(target: str) -> None:
    assert source(target) == {}


def test_here_names_the_machine_and_the_commit() -> None:
    assert {"machine", "mlflow.source.git.commit", "dirty"} == here().keys()
    assert "cores" in here()["machine"]
