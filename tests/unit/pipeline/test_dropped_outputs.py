"""What a study no longer has is removed before stages that depend on whole folders run."""

from pathlib import Path

import pytest

from breakeven.artifacts.model_manifest import MANIFEST
from breakeven.config.study import Study
from breakeven.core.files import write_json
from breakeven.pipeline.stages.fetch import remove_dropped

STUDY = Study.model_construct(families={"cnn": None}, compressions={"half": {}}, hardware={"cpu1": {}})


def test_outputs_of_what_was_dropped_are_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = ["models/cnn/none", "models/cnn/half"]
    dropped = ["models/cnn/control", "models/other/none"]
    for folder in [*kept, *dropped, "models/mine/own"]:
        Path(folder).mkdir(parents=True)
        Path(folder, "weights").touch()
    for folder in [*kept, *dropped]:
        write_json(Path(folder, MANIFEST), {"family": "", "recipe": "", "made": "", "key": ""})
    for number, text in enumerate(["", "[]", '{"layers": 3}']):
        path = Path(f"models/theirs/{number}", MANIFEST)
        path.parent.mkdir(parents=True)
        path.write_text(text)
    Path("results/benchmark").mkdir(parents=True)
    for name in ("cnn-cpu1", "cnn-cpu2", "other-cpu1"):
        Path(f"results/benchmark/{name}.json").touch()
    for name in ("cnn", "other"):
        Path(f"results/served/{name}").mkdir(parents=True)
    remove_dropped(STUDY)
    assert [path.name for path in Path("results/served").iterdir()] == ["cnn"]
    assert all(
        Path(folder, "weights").exists() for folder in [*kept, "models/mine/own"]
    )  # a user's own stays
    assert len([*Path("models/theirs").iterdir()]) == 3
    assert not Path("models/cnn/control").exists() and not Path("models/other").exists()
    assert [path.name for path in Path("results/benchmark").iterdir()] == ["cnn-cpu1.json"]
