"""Which source an output depends on: modules, data files, packages, and the user's own files."""

import importlib
from importlib import metadata
from pathlib import Path

import pytest

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.source_digest import (
    LEFT_OUT,
    digests_of,
    digests_of_modules,
    packages,
    plugin_modules,
    unwatched_modules,
)
from breakeven.core.source_walk import SourceTree

MODELS = "breakeven.plugins.models"


def source(target: str) -> dict[str, str]:
    """Return the digests of what a constructor depends on, as the files are now."""
    return digests_of_modules([target], SourceTree())


def test_a_model_of_the_package_is_its_own_file() -> None:
    found = source(f"{MODELS}.cnn.cnn")
    assert found == source(f"{MODELS}.cnn:cnn")
    assert f"{MODELS}.cnn" in found and f"{MODELS}.resnet18" not in found
    assert found["torch"] == metadata.version("torch")


def test_an_installed_package_is_its_version() -> None:
    assert source("torchvision.models.resnet18") == {"torchvision": metadata.version("torchvision")}


def package(folder: Path, **files: str) -> SourceTree:
    """Return the source of a package `breakeven` with these files, whose names have `_` for `/`."""
    for name, text in {"": "", **files}.items():
        path = folder.joinpath(
            "src/breakeven", *name.split("_")[:-1], f"{name.split('_')[-1] or '__init__'}.py"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return SourceTree(folder / "src/breakeven")


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("import breakeven.b.c", {"breakeven.b.c"}),
        ("from breakeven.b import c", {"breakeven.b.c"}),
        ("from breakeven.b.c import x", {"breakeven.b.c"}),
        ("from . import b", {"breakeven.b"}),
        ("from .b.c import x", {"breakeven.b.c"}),
        ("def f():\n    from breakeven.b import c", {"breakeven.b.c"}),
        ("run(['python', '-m', 'breakeven.b.c'])", {"breakeven.b.c"}),
        ("TARGET = 'breakeven.b.c.function'", {"breakeven.b.c"}),
        ("import json, numpy", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from breakeven.b import c", set()),
        ("text = 'see breakeven.b.c'", set()),
        ("folder = 'cpp'", {"cpp/src/main.cpp"}),
        ("folder = 'templates'", {"breakeven/templates/page.html"}),
        ("from breakeven import d", {"breakeven.d", "breakeven.b.c"}),
    ],
)
def test_what_a_module_reaches(tmp_path: Path, text: str, reached: set[str]) -> None:
    for data in ("cpp/src/main.cpp", "src/breakeven/templates/page.html"):
        (tmp_path / data).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / data).write_text("data")
    tree = package(tmp_path, a=text, b_="x = 1", b_c="y = 1", d="import breakeven.b.c")
    assert tree.reach(["breakeven.a"]).keys() - {"breakeven", "breakeven.b"} == {
        "breakeven.a",
        *reached - {"breakeven.b"},
    }
    assert ("breakeven.b" in tree.reach(["breakeven.a"])) == any("breakeven.b" in name for name in reached)


def test_what_is_left_out_is_not_followed(tmp_path: Path) -> None:
    tree = package(tmp_path, a="import breakeven.b.c", b_="", b_c="import breakeven.d", d="")
    assert "breakeven.d" not in tree.reach(["breakeven.a"], lambda module: module == "breakeven.b.c")


def test_the_files_of_the_package_are_as_they_were_at_the_start(tmp_path: Path) -> None:
    tree = package(tmp_path, a="x = 1")
    (tmp_path / "src/breakeven/a.py").write_text("x = 2")
    assert digests_of_modules(["breakeven.a"], tree) != digests_of_modules(
        ["breakeven.a"], SourceTree(tmp_path / "src/breakeven")
    )


def test_a_stage_depends_on_its_plugins_and_no_others() -> None:
    export = digests_of("export", ["breakeven.plugins.runtimes.onnxruntime"])
    assert {"breakeven.pipeline.stages.export", "breakeven.plugins.runtimes.base"} < export.keys()
    assert {"breakeven.engine.worker_main", "breakeven.engine.forkserver_main"} < export.keys()
    assert not [name for name in export if name.startswith("cpp/") or name.endswith("runtimes.openvino")]
    other = digests_of("export", ["breakeven.plugins.runtimes.libtorch"])
    assert "cpp/CMakeLists.txt" in other and "breakeven.plugins.runtimes.onnxruntime" not in other
    assert "breakeven/report/templates/report.css" in digests_of("report", [])


def test_each_module_that_is_left_out_exists() -> None:
    assert {*LEFT_OUT} <= SourceTree().modules.keys()


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
            file.write("\nline = 1\n")
        assert source("mine.net.Net") != before, changed


REGISTRIES = {
    "a registry": {
        "zoo/__init__.py": "",
        "zoo/build.py": "import importlib\ndef net(): return importlib.import_module(f'zoo.nets.{1}')",
        "zoo/nets/__init__.py": "",
        "zoo/nets/tiny.py": "WIDTH = 1",
    },
    "a relative one": {
        "zoo/build.py": "from importlib import import_module\ndef net(n): return import_module(n, 'zoo')",
        "zoo/deep/er/tiny.py": "WIDTH = 1",
    },
    "one beside its package": {
        "zoo/nets/tiny.py": "WIDTH = 1",
        "build.py": "def net(name): return __import__('zoo.nets.' + name)",
    },
    "one that reads its folder": {
        "zoo/__init__.py": "import pkgutil\nfound = [*pkgutil.iter_modules(__path__)]",
        "zoo/build.py": "import zoo\ndef net(): ...",
        "zoo/tiny.py": "WIDTH = 1",
    },
}


@pytest.mark.parametrize("layout", REGISTRIES)
@pytest.mark.parametrize("folder", ["checkout", "my-packages/checkout"])
def test_a_module_that_is_imported_by_its_name_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, folder: str
) -> None:
    root = tmp_path / folder
    monkeypatch.syspath_prepend(root)
    for name, text in REGISTRIES[layout].items():
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(text)
    target = "build.net" if (root / "build.py").exists() else "zoo.build.net"
    for changed in [name for name, text in REGISTRIES[layout].items() if text]:
        before = source(target)
        with (root / changed).open("a") as file:
            file.write("\nline = 1\n")
        assert source(target) != before, changed


def test_a_module_that_no_digest_holds_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "hidden_net.py").write_text("WIDTH = 1\n")
    (tmp_path / "seen_net.py").write_text("WIDTH = 1\n")
    (tmp_path / "odd_net.py").write_text("import seen_net\ndef net(): return globals()['__builtins__']\n")
    importlib.import_module("odd_net")
    assert unwatched_modules("odd_net.net") == []
    importlib.import_module("hidden_net")
    assert unwatched_modules("odd_net.net") == ["hidden_net"]


def test_settings_name_plugins_at_any_depth() -> None:
    settings = {"eager": {"name": "eager"}, "mine": {"steps": [{"name": "my_runtime.Fast"}, {"of": 1}]}}
    assert plugin_modules("runtimes", settings) == ["breakeven.plugins.runtimes.eager", "my_runtime.Fast"]


def test_a_users_own_option_is_its_code_without_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_runtime.py").write_text("class Fast: pass")
    before = source("my_runtime.Fast")
    assert [*before] == ["my_runtime"]
    (tmp_path / "my_runtime.py").write_text("class Fast: pass  # fast")
    assert source("my_runtime.Fast") == before
    (tmp_path / "my_runtime.py").write_text("class Fast: fast = True")
    assert source("my_runtime.Fast") != before


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
