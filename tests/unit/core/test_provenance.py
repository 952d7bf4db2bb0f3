"""What stands for a model's source: its file, its version, or the user's files."""

from importlib import metadata
from pathlib import Path

import pytest

from breakeven.core.errors import UserError
from breakeven.core.files import sha256
from breakeven.core.source_digest import own, packages, source


def test_a_model_of_the_package_is_its_own_file() -> None:
    from breakeven.plugins.models import cnn as module

    expected = {"breakeven.plugins.models.cnn": sha256(Path(module.__file__))}
    found = source("breakeven.plugins.models.cnn.cnn")
    assert found == source("breakeven.plugins.models.cnn:cnn")
    assert expected.items() <= found.items() and "breakeven.plugins.models.resnet18" not in found


def test_an_installed_package_is_its_version() -> None:
    assert source("torchvision.models.resnet18") == {"torchvision": metadata.version("torchvision")}


OWN = {
    "one file": {
        "mine.py": "import torch\nfrom blocks import block\ndef net(): ...",
        "blocks.py": "block = 1",
    },
    "a package": {
        "mine/__init__.py": "",
        "mine/net.py": "from .blocks import block",
        "mine/blocks.py": "block = 1",
    },
    "no __init__": {"mine/net.py": "from mine import blocks", "mine/blocks.py": "block = 1"},
}


@pytest.mark.parametrize("layout", OWN)
def test_a_users_own_module_is_its_files_and_what_they_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in OWN[layout].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for changed in [name for name, text in OWN[layout].items() if text]:
        before = source("mine.net.Net")
        with (tmp_path / changed).open("a") as file:
            file.write("\n# a line\n")
        assert source("mine.net.Net") != before, changed


def test_a_users_own_options_are_their_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_runtime.py").write_text("class Fast: pass")
    options = {"eager": {"name": "eager"}, "mine": {"steps": [{"name": "my_runtime.Fast"}]}}
    assert own({"eager": options["eager"]}) == {}
    assert [*own(options)] == ["my_runtime"]
    before = own(options)
    (tmp_path / "my_runtime.py").write_text("class Fast: pass  # faster")
    assert own(options) != before


def test_what_python_cannot_read_is_told_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "half_written.py").write_text("import torch\nclass Net(\n")
    with pytest.raises(UserError, match=r"half_written\.py, line 2: "):
        source("half_written.Net")


def test_only_what_a_model_surely_imports_is_imported_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "sure.py").write_text(
        "import torch\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\n"
        "try:\n    import mlflow\nexcept ImportError:\n    pass\ndef net():\n    import openvino\n"
    )
    assert packages("sure.net") == ("torch",)
    assert packages("timm.create_model") == ("timm",)
    assert "torchvision" in packages("breakeven.plugins.models.resnet18.resnet18")
    assert "torchvision" not in packages("breakeven.plugins.models.cnn.cnn")
    (tmp_path / "broken.py").write_text("import torch\nimport (")
    assert packages("broken.net") == ()


@pytest.mark.parametrize("target", ["nowhere.at.all", "", "None"])
def test_what_does_not_exist_has_no_source(target: str) -> None:
    assert source(target) == {}
