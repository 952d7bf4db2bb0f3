"""Results of other settings than those in `params.yaml` are told as no others'."""

from pathlib import Path

import pytest
import yaml

from breakeven.config.lock_check import DVC_LOCK, require_current
from breakeven.config.schema import Family, Study
from breakeven.core.errors import UserError

STUDY = Study.model_construct(
    families={"cnn": Family.model_construct(data="digits")},
    compressions={"half": {}},
    hardware={"cpu1": {}},
)
SETTINGS = {
    "seed": 0,
    "families": {"cnn": {"train": {"lr": 0.1}}, "other": {"train": None}},
    "compressions": {"half": {"ratio": 0.5}},
    "measure": {"rounds": 10},
}


def note(**stages: dict[str, object]) -> None:
    """As DVC writes it."""
    stages = {name.replace("_at_", "@").replace("_on_", "-"): found for name, found in stages.items()}
    noted = {name: {"cmd": "", "params": {"params.yaml": found}} for name, found in stages.items()}
    DVC_LOCK.write_text(yaml.safe_dump({"schema": "2.0", "stages": {**noted, "check_params": {"cmd": ""}}}))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(SETTINGS))


def test_what_was_run_with_these_settings_is_current() -> None:
    require_current(STUDY)  # nothing was run
    note(train_at_cnn={"seed": 0, "families.cnn": SETTINGS["families"]["cnn"]})
    require_current(STUDY)


@pytest.mark.parametrize(
    ("stages", "place"),
    [
        (
            {"train_at_cnn": {"families.cnn": {"train": {"lr": 0.2}}}},
            "train.lr=0.2 (stage train@cnn)",
        ),
        ({"train_at_cnn": {"families.cnn": {"train": None}}}, "families.cnn.train=None"),
        ({"compress_at_cnn_on_half": {"compressions.half": {}}}, "compressions.half.ratio=nothing"),
        ({"benchmark_at_cnn_on_cpu1": {"measure": {"rounds": 5}}}, "measure.rounds=5"),
        ({"prepare_at_digits": {"datasets.digits": {"name": "digits"}}}, "datasets.digits.name=digits"),
    ],
)
def test_what_was_run_with_others_is_not(stages: dict[str, dict[str, object]], place: str) -> None:
    note(**stages)
    with pytest.raises(UserError, match="run `dvc repro`") as refused:
        require_current(STUDY)
    assert place in str(refused.value)


def test_a_number_is_the_same_however_it_is_written() -> None:
    Path("params.yaml").write_text("families: {cnn: {train: {lr: 1.0e-05}}}")
    DVC_LOCK.write_text("stages: {train@cnn: {params: {params.yaml: {families.cnn: {train: {lr: 1e-05}}}}}}")
    require_current(STUDY)


def test_what_is_no_part_of_the_study_does_not_count() -> None:
    note(train_at_other={"families.other": {"train": {"lr": 0.2}}}, report={"recommend": {"a": 1}})
    require_current(STUDY)
