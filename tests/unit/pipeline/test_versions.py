"""Two Pythons, or two versions of a library, are told apart before anything is measured."""

import os
import shutil
import sys
from pathlib import Path

import overlays
import pytest

from breakeven.core.errors import UserError
from breakeven.engine import interpreter
from breakeven.engine.interpreter import THIS_PYTHON, Interpreter
from breakeven.engine.measure import measure_artifacts
from breakeven.engine.selftest.models import CNN, write
from breakeven.engine.selftest.versions import slowed_onnxruntime
from breakeven.engine.settings import Budget
from breakeven.pipeline.compare import versions


def test_what_differs_between_two_pythons_is_named(tmp_path: Path) -> None:
    assert versions.differences(THIS_PYTHON, Interpreter()) == versions.NOTHING_DIFFERS
    with versions.with_packages([str(overlays.wheel(tmp_path, "onnxruntime", "0.1"))]) as other:
        said = versions.differences(THIS_PYTHON, other)
    assert said.startswith("onnxruntime 0.1 (was ") and "," not in said
    with versions.with_packages([str(overlays.wheel(tmp_path, "some_addition", "2.0"))]) as other:
        assert "2.0 (was missing)" in versions.differences(THIS_PYTHON, other)


def test_a_virtual_environment_is_named_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    assert versions.python_at(str(tmp_path)) == Interpreter(str(tmp_path / "bin/python"))
    assert versions.python_at(sys.executable) == THIS_PYTHON
    with pytest.raises(UserError, match="there is no such Python: give its path"):
        versions.python_at(str(tmp_path / "nowhere"))


def test_the_other_python_does_not_find_the_packages_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "breakeven").symlink_to(interpreter.PACKAGE, target_is_directory=True)
    (installed / "onnxruntime").mkdir()
    monkeypatch.setattr(interpreter, "PACKAGE", installed / "breakeven")
    interpreter._folder_of_package_alone.cache_clear()
    folder = Path(Interpreter(str(tmp_path / "another")).path.split(os.pathsep)[0])
    assert [each.name for each in folder.iterdir()] == ["breakeven"]
    interpreter._folder_of_package_alone.cache_clear()


@pytest.mark.parametrize("program", ["true", "echo"])
def test_a_program_that_is_no_python_is_refused(program: str) -> None:
    with pytest.raises(UserError, match="is not a Python"):
        Interpreter(str(shutil.which(program))).versions()


def test_a_python_without_the_libraries_is_refused_with_what_to_install(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    bare.chmod(0o755)
    with pytest.raises(UserError, match=r"cannot run Breakeven's workers: ModuleNotFoundError.*pip install"):
        Interpreter(str(bare)).versions()


@pytest.mark.parametrize("given", ["", "-r file", "no such folder", "onnxruntime"])
def test_what_is_neither_a_requirement_with_a_version_nor_a_folder_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="neither a folder"), versions.with_packages([given]):
        pass


def test_what_pip_cannot_install_is_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no wheel")
    with (
        pytest.raises(UserError, match=r"pip cannot install it: ERROR: .*$"),
        versions.with_packages([str(broken)]),
    ):
        pass


@pytest.mark.slow
def test_a_library_that_an_overlay_slows_is_slower_and_the_twin_runs_as_the_first_does(
    tmp_path: Path,
) -> None:
    folder = write(CNN, "onnxruntime", tmp_path / "artifact")
    slow = Interpreter(folders=(str(slowed_onnxruntime(tmp_path / "slow", 3.0)),))
    budget = Budget(seconds=1, seconds_per_variant=1, min_replicates=3, max_replicates=3)
    pair = {"first": folder, "second": folder}
    for sides, is_right in (
        ({"second": slow}, lambda ratio: ratio < 0.7),
        ({"first": slow}, lambda ratio: ratio > 1.4),
    ):
        measured = measure_artifacts(
            pair, {"name": "cpu", "threads": 1}, budget, CNN.images(4), interpreters=sides
        )
        speedup = measured["second"].speedup  # three replicates on a busy machine may give no verdict
        assert speedup and is_right(speedup.value)
        assert not measured.findings.fault
