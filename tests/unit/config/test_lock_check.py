"""Results of other settings than those in `params.yaml`, or other files than `dvc.lock`'s, are not shown."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from breakeven.config.dvc_digests import DvcDigests
from breakeven.config.lock_check import DVC_LOCK, require_current
from breakeven.config.sections import Family
from breakeven.config.study import Study
from breakeven.core.errors import UserError

STUDY = Study.model_construct(
    families={"cnn": Family.model_construct(data="digits")},
    compressions={"half": {}},
    hardware={"cpu1": {}},
)
STAGES = (
    *("prepare@digits", "train@cnn", "compress@cnn-half", "export@cnn", "quantize@cnn"),
    "benchmark@cnn-cpu1",
)
SETTINGS = {
    "seed": 0,
    "families": {"cnn": {"train": {"lr": 0.1}}, "other": {"train": None}},
    "compressions": {"half": {"ratio": 0.5}},
    "measure": {"rounds": 10},
}


def noted(**params: dict[str, object]) -> dict[str, dict[str, object]]:
    """The stages of a lock as DVC writes them: a folder for each stage, and the params of some."""
    given = {name.replace("_at_", "@").replace("_on_", "-"): found for name, found in params.items()}
    stages: dict[str, dict[str, object]] = {}
    for name in dict.fromkeys([*STAGES, *given]):
        folder = Path("made", name)
        (folder / "inner").mkdir(parents=True, exist_ok=True)
        (folder / "b.txt").write_text(name)
        (folder / "inner/a.txt").write_text(f"inner {name}")
        outs = [{"path": str(folder), "hash": "md5", "md5": DvcDigests(Path("unused")).of(folder)}]
        stages[name] = {"cmd": "", "params": {"params.yaml": given.get(name, {})}, "outs": outs}
    return stages


def write_lock(stages: dict[str, dict[str, object]]) -> None:
    DVC_LOCK.write_text(yaml.safe_dump({"schema": "2.0", "stages": {**stages, "fetch": {"cmd": ""}}}))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("breakeven.core.paths.private", lambda: tmp_path / ".breakeven")
    Path("params.yaml").write_text(yaml.safe_dump(SETTINGS))


def refusal() -> str:
    with pytest.raises(UserError) as refused:
        require_current(STUDY)
    (sentence,) = str(refused.value).splitlines()
    return sentence


def test_what_was_run_with_these_settings_is_current() -> None:
    write_lock(noted(train_at_cnn={"seed": 0, "families.cnn": SETTINGS["families"]["cnn"]}))
    require_current(STUDY)
    require_current(STUDY)  # from the memory of the digests


@pytest.mark.parametrize(
    ("stages", "place"),
    [
        (
            {"train_at_cnn": {"families.cnn": {"train": {"lr": 0.2}}}},
            "train.lr=0.2 (stage train@cnn)",
        ),
        ({"train_at_cnn": {"families.cnn": {"train": None}}}, "families.cnn.train=None"),
        (
            {"compress_at_cnn_on_half": {"compressions.half": {}}},
            "made without compressions.half.ratio (stage compress@cnn-half)",
        ),
        ({"benchmark_at_cnn_on_cpu1": {"measure": {"rounds": 5}}}, "measure.rounds=5"),
        ({"prepare_at_digits": {"datasets.digits": {"name": "digits"}}}, "datasets.digits.name=digits"),
    ],
)
def test_what_was_run_with_others_is_not(stages: dict[str, dict[str, object]], place: str) -> None:
    write_lock(noted(**stages))
    sentence = refusal()
    assert place in sentence and "run `dvc repro`" in sentence


def test_a_number_is_the_same_however_it_is_written() -> None:
    Path("params.yaml").write_text("families: {cnn: {train: {lr: 1.0e-05}}}")
    stages = noted()
    write_lock(stages)
    text = DVC_LOCK.read_text().replace(
        "params.yaml: {}", "params.yaml: {families.cnn: {train: {lr: 1e-05}}}"
    )
    DVC_LOCK.write_text(text)
    require_current(STUDY)


def test_what_is_no_part_of_the_study_does_not_count() -> None:
    stages = noted(train_at_other={"families.other": {"train": {"lr": 0.2}}}, report={"recommend": {"a": 1}})
    write_lock(stages)
    Path("made/train@other/b.txt").unlink()
    require_current(STUDY)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda folder: (folder / "inner/a.txt").write_text("of another study"), "differs"),
        (lambda folder: (folder / "added.txt").write_text("more"), "differs"),
        (lambda folder: (folder / "b.txt").unlink(), "differs"),
        (lambda folder: folder.rename(f"{folder}.old"), "is missing"),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
def test_files_that_are_not_those_of_the_lock_are_told(stage, change, state) -> None:
    write_lock(noted())
    require_current(STUDY)
    change(Path("made", stage))
    sentence = refusal()
    assert f"made/{stage} {state}. Run `dvc checkout`" in sentence


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_has_not_run_is_told(stage: str) -> None:
    stages = noted()
    del stages[stage]
    write_lock(stages)
    assert f"no stage {stage}" in refusal()


def test_no_lock_means_no_results() -> None:
    assert "dvc.lock is missing: run `dvc repro`" in refusal()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"- a\n- list\n",
        lambda data: b"stages: 3\n",
        lambda data: b"\xff\xfe" + data,
        lambda data: b"<<<<<<< HEAD\n" + data,
        lambda data: data.replace(b"schema", b"=======\n>>>>>>> theirs\nschema"),
        *(lambda data, part=part: data[: len(data) * part // 40] for part in range(1, 40)),
    ],
)
def test_a_damaged_lock_is_one_sentence_and_never_believed(damage) -> None:
    write_lock(noted(train_at_cnn={"seed": 0, "families.cnn": SETTINGS["families"]["cnn"]}))
    data = DVC_LOCK.read_bytes()
    whole = yaml.safe_load(data)["stages"]
    DVC_LOCK.write_bytes(damage(data))
    try:
        left = yaml.safe_load(DVC_LOCK.read_bytes())["stages"]
        complete = all(left[stage] == whole[stage] for stage in STAGES)
    except Exception:
        complete = False
    if complete:  # it was cut off after the stages of the study
        require_current(STUDY)
    else:
        assert "`dvc repro`" in refusal()


def test_a_digest_is_the_one_that_dvc_computes() -> None:
    noted()
    md5 = {
        name: hashlib.md5(text.encode()).hexdigest()
        for name, text in (("b", "train@cnn"), ("a", "inner train@cnn"))
    }
    entries = [{"md5": md5["b"], "relpath": "b.txt"}, {"md5": md5["a"], "relpath": "inner/a.txt"}]
    text = json.dumps(entries, sort_keys=True)
    assert (
        DvcDigests(Path("unused")).of(Path("made/train@cnn"))
        == hashlib.md5(text.encode()).hexdigest() + ".dir"
    )
