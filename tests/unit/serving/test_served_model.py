"""What the service refuses to serve, before it starts a process."""

from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from served import CLASSES, SHAPE
from shipped_options import RUNTIMES

from breakeven.artifacts import artifact
from breakeven.core import paths, plugin
from breakeven.core.errors import UserError
from breakeven.serving.served_model import ServedModel, is_made_here, served_model

IN_PROGRAMS = [name for name, own in RUNTIMES.items() if plugin.load("runtimes", own, name).has_program]


def test_the_runtimes_that_python_does_not_execute_are_known() -> None:
    assert IN_PROGRAMS and {RUNTIMES[name]["name"] for name in IN_PROGRAMS} == {"libtorch"}


@pytest.mark.parametrize("name", IN_PROGRAMS)
def test_a_variant_that_runs_in_a_program_of_its_own_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exported = tmp_path / paths.artifacts("export", "cnn")
    made = artifact.read(fakes.write(exported / "eager", "eager"))
    (exported / "other").mkdir()
    artifact.save(exported / "other", replace(made, runtime=name, settings=RUNTIMES[name]))
    with pytest.raises(UserError) as refused:
        served_model(None, "cnn", f"none/fp32/{name}")  # type: ignore[arg-type]  # it is refused before
    assert str(refused.value) == (
        f"cnn: none/fp32/{name} runs in a program of its own, and the service calls variants from Python: "
        "name a --variant of another runtime."
    )


def test_a_variant_from_elsewhere_is_told_from_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exported = tmp_path / paths.artifacts("export", "fake")
    made = artifact.read(fakes.write(exported / "eager", "eager"))
    for key, is_same in ((made.key, True), ("of another training", False)):
        champion = replace(made, key=key)
        model = ServedModel("fake", tmp_path, champion, exported, CLASSES, SHAPE, fakes.IMAGES[:1])
        assert is_made_here(model) == is_same
    elsewhere = replace(made, recipe="prune50")
    model = ServedModel("fake", tmp_path, elsewhere, exported, CLASSES, SHAPE, fakes.IMAGES[:1])
    assert not is_made_here(model)
