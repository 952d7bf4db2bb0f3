"""A mistake in a file of `conf/` or in an override is one sentence: the file, the line, and what to write."""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from project import ROOT

from breakeven.cli import main
from breakeven.config import compose, schema
from breakeven.config.study import Study
from breakeven.config.yaml_file import read_mapping
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.pipeline.stages import check_params


@pytest.fixture(autouse=True)
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of nothing but its own copy of `conf/`."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "conf"


def composed(*overrides: str) -> Study:
    return schema.validate(yaml.safe_load(compose.compose_completed(overrides)[0]))


def refusal(*overrides: str) -> str:
    with pytest.raises(UserError) as refused:
        composed(*overrides)
    (sentence,) = str(refused.value).splitlines()
    return sentence


COPIES = {
    "runtime": ("runtimes", "runtime=[eager,copied]", "name: torch_compile\n", "onnxruntime"),
    "quantization": ("quantizations", "quantization=[copied]", "name: onnxruntime\n", "onnxruntime_static"),
    "compression": ("compressions", "compression=[copied]", "name: control\n", "prune50"),
    "hardware": ("hardware", "hardware=[copied]", "name: cpu\nthreads: 1\n", "cpu1"),
}


@pytest.mark.parametrize("group", COPIES)
@pytest.mark.parametrize("header", ["another's", "none", "global", "after a comment"])
def test_a_file_that_does_not_set_its_own_key_is_refused(conf: Path, group: str, header: str) -> None:
    section, override, text, other = COPIES[group]
    first = {
        "another's": f"# @package {section}.{other}\n",
        "none": "",
        "global": "# @package _global_\n",
        "after a comment": f"# Fast.\n# @package {section}.copied\n",
    }[header]
    (conf / group / "copied.yaml").write_text(first + text)
    sentence = refusal(override)
    assert sentence.startswith(
        f"conf/{group}/copied.yaml: its first line has to be `# @package {section}.copied`"
    )


def test_a_global_file_that_sets_its_own_key_is_accepted(conf: Path) -> None:
    text = "# @package _global_\nruntimes: {copied: {name: onnxruntime}}\nmeasure: {margin: 0.5}\n"
    (conf / "runtime/copied.yaml").write_text(text)
    assert composed("runtime=[eager,copied]").measure.margin == 0.5
    (conf / "runtime/copied.yaml").write_text(text.replace("{copied:", "{eager: {name: openvino}, copied:"))
    assert "conf/runtime/copied.yaml: its first line" in refusal("runtime=[eager,copied]")


def test_an_option_that_inherits_another_is_accepted() -> None:
    assert set(composed("compression=[prune30,half_long,control_qat]").compressions) == {
        *("prune30", "half_long", "control_qat")
    }


@pytest.mark.parametrize("override", ["runtimes.eager.name=torch_compile", "runtimes.eager={name: openvino}"])
def test_the_baseline_is_eager_mode(override: str) -> None:
    assert "baseline's name must be 'eager'" in refusal(override)


def test_a_family_has_no_header(conf: Path) -> None:
    path = conf / "family/mine.yaml"
    path.write_text("# @package families.mine\n" + (conf / "family/cnn.yaml").read_text())
    with pytest.raises(
        UserError, match=r"conf/family/mine\.yaml: remove the line `# @package families\.mine`"
    ):
        compose.compose(["family=mine"], name="sweep")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "defaults: [/data@datasets.digits: digits]\nstudy: mine\n",
            "its first line has to be `# @package _global_`",
        ),
        (
            "# @package _global_\nstudy: my digits\n",
            "`study: my digits` is not the file's name: write `study: mine`",
        ),
        ("# @package _global_\nseed: 1\n", "is not the file's name: write `study: mine`"),
    ],
)
@pytest.mark.parametrize("name", ["config", "sweep"])
def test_a_study_has_the_name_of_its_file(conf: Path, text: str, said: str, name: str) -> None:
    (conf / "study/mine.yaml").write_text(text)
    with pytest.raises(UserError) as refused:
        compose.compose(["study=mine"], name=name)
    assert str(refused.value).startswith("conf/study/mine.yaml: ") and said in str(refused.value)


FAMILY = (
    "defaults:\n  - /model@model: cnn\n  - /train@train: sgd\n  - _self_\ndata: digits\ncheckpoint: null\n"
)
STUDY = (
    "# @package _global_\ndefaults:\n  - /data@datasets.digits: digits\n  - /family@families.x: mine\n"
    "study: mine\n"
)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("study/mine.yaml", "study: [\n", "conf/study/mine.yaml:2: this is no YAML"),
        ("family/mine.yaml", FAMILY + "train:\n\tepochs: 1\n", "conf/family/mine.yaml:8: this is no YAML"),
        (
            "family/mine.yaml",
            FAMILY + "data: again\n",
            "conf/family/mine.yaml:7: this is no YAML: found duplicate",
        ),
        ("family/mine.yaml", "a: b: c\n", "conf/family/mine.yaml:1: this is no YAML"),
        ("family/mine.yaml", "- a\n- list\n", "families"),
        (
            "study/mine.yaml",
            STUDY.replace(": digits", ": digit"),
            "conf/study/mine.yaml:3: data=digit: unknown; did you",
        ),
        ("study/mine.yaml", STUDY.replace("/data@", "/dat@"), "conf/study/mine.yaml:3"),
        (
            "study/mine.yaml",
            STUDY + "seed: ${nowhere}\n",
            "conf/study/mine.yaml:6: Interpolation key 'nowhere' not",
        ),
    ],
)
def test_a_mistake_in_a_file_names_it_and_the_line(conf: Path, file: str, text: str, said: str) -> None:
    (conf / "family/mine.yaml").write_text(FAMILY)
    (conf / "study/mine.yaml").write_text(STUDY)
    composed("study=mine", "compression=[]")
    (conf / file).write_text(text)
    sentence = refusal("study=mine", "compression=[]")
    assert sentence.startswith(said)


def test_a_file_that_is_not_utf8_names_it_and_the_line(conf: Path) -> None:
    (conf / "study/mine.yaml").write_bytes(STUDY.encode() + "title: gr\xfcn\n".encode("latin-1"))
    assert refusal("study=mine") == "conf/study/mine.yaml:6: this is not UTF-8: save the file as UTF-8."


@pytest.mark.parametrize(
    "override",
    [
        *("runtime=[eager", "families.cnn.checkpoint=weights/epoch=3.ckpt", "measure.seconds=range(8,40"),
        *("study=quick)", "study='quick", "seed", "=3", "runtime=3", "study=null", "seed=${nowhere}"),
    ],
)
def test_an_override_that_cannot_be_read_is_named(override: str) -> None:
    assert refusal("seed=1", override).startswith(f"{override}: ")


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("runtimes.onnxruntime.precision=fp32", "runtimes.onnxruntime.precision", "fp32"),
        ("runtimes.eager.channels_last=true", "runtimes.eager.channels_last", True),
        ("datasets.digits.mean=[0.5]", "datasets.digits.mean", [0.5]),
        (
            "families.cnn.model._inputs_={in_channels: channels}",
            "families.cnn.model._inputs_.in_channels",
            "channels",
        ),
        ("families.cnn.model.num_classes=3", "families.cnn.model.num_classes", 3),
        ("export.only={none: [fp32/eager]}", "export.only.none", ["fp32/eager"]),
    ],
)
def test_a_key_that_no_file_sets_gets_its_plus(override: str, key: str, value: object) -> None:
    text, completed = compose.compose_completed(["seed=1", override])
    node = yaml.safe_load(text)
    for part in key.split("."):
        node = node[part]
    assert node == value
    assert completed[1].lstrip("+") == override != completed[1]
    assert compose.compose(completed) == text  # as the guard composes it again


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("runtimes.onnxruntime.precison=bf16", "the key 'precison' is unknown; did you mean 'precision'?"),
        (
            "datasets.digits.colour=grey",
            "the key 'colour' is unknown. Allowed: name, title, validation, test, split_seed, mean, std, "
            "size.",
        ),
        ("families.cnn.model.widht=4", "the key 'widht' is unknown; did you mean 'width'?"),
    ],
)
def test_a_key_that_is_none_is_told_with_those_that_are(override: str, said: str) -> None:
    assert refusal(override).startswith(f"{override}: {said}")


def test_two_pairs_of_names_that_would_be_one_stage_are_refused(conf: Path) -> None:
    (conf / "study/names.yaml").write_text(
        "# @package _global_\ndefaults:\n  - /data@datasets.digits: digits\n  - /family@families.a: cnn\n"
        "  - /family@families.a-b: cnn\n  - /compression@compressions.b-c: prune50\n"
        "  - /compression@compressions.c: control\n  - override /compression: []\n"
        "  - override /runtime: [eager]\n  - override /quantization: []\nstudy: names\n"
    )
    assert refusal("study=names") == (
        "families.a with compressions.b-c and families.a-b with compressions.c would be one stage, "
        "compress@a-b-c: rename one of them."
    )


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("compressions", "none"),
        *(("families", name) for name in ("a/b", "../a", "a b", ".a", "-a", "", "a:b")),
        ("hardware", "a/b"),
        ("runtimes", "a/b"),
    ],
)
def test_a_name_that_is_no_name_of_a_folder_is_refused(section: str, name: str) -> None:
    settings = yaml.safe_load(compose.compose())
    settings[section][name] = next(iter(settings[section].values()))
    with pytest.raises(UserError, match=section):
        schema.validate(settings)


def test_benchmarks_of_one_name_are_refused() -> None:
    settings = yaml.safe_load(compose.compose())
    (family, *_), (hardware,) = settings["families"].values(), settings["hardware"].values()
    settings["families"] = {"a": family, "a-b": family}
    settings["hardware"] = {"b-c": hardware, "c": hardware}
    with pytest.raises(UserError, match="would be one stage, benchmark@a-b-c"):
        schema.validate(settings)


DAMAGE = {
    "empty": b"",
    "a list": b"- a\n",
    "a text": b"text\n",
    "not UTF-8": b"\xff\xfe\x00",
    "cut off": b"seed: 0\nmeasure: {rounds: 1",
    "a conflict": b"<<<<<<< HEAD\nseed: 0\n=======\nseed: 1\n>>>>>>> theirs\n",
    "a conflict that is YAML": b"seed: 0\n? >>>>>>> theirs\n",
    "a date": b"seed: 2026-99-99\n",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "command", [["table"], ["recommend", "--no-register"], ["publish", "x.md", "--allow-dirty"]]
)
def test_damaged_parameters_are_one_sentence(
    damage: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    paths.PARAMS.write_bytes(DAMAGE[damage])
    assert main.main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("breakeven: params.yaml") and "breakeven compose" in line
    with pytest.raises(UserError, match=r"^params\.yaml"):
        check_params.guard()


def test_a_conflict_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("seed: 0\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> theirs\n")
    with pytest.raises(UserError, match=r"params\.yaml:2: git left a conflict here: do this\."):
        read_mapping(path, "do this")


@pytest.fixture
def experiment(conf: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """What `dvc exp run -S ...` does: it composes conf/ with these alone, and runs the guard."""
    monkeypatch.setenv("DVC_EXP_NAME", "an-experiment")
    monkeypatch.setattr(check_params, "require_models", lambda study: None)
    monkeypatch.setattr(paths, "home", lambda: conf.parent)

    def run(*overrides: str) -> None:
        paths.PARAMS.write_text(compose.compose(overrides) if overrides != ("stale",) else "seed: 0\n")
        check_params.guard()

    return run


def test_an_experiment_that_loses_earlier_overrides_is_refused_and_changes_nothing(experiment) -> None:  # type: ignore[no-untyped-def]
    assert main.main(["compose", "runtime=[eager]", "quantization=[]", "measure.rounds=7"]) == 0
    before = {path: path.read_text() for path in (paths.PARAMS, paths.OVERRIDES)}
    with pytest.raises(UserError, match=r"has lost what params\.yaml was composed of") as refused:
        experiment("seed=1")
    assert "-S 'runtime=[eager]' -S 'quantization=[]' -S measure.rounds=7" in str(refused.value)
    assert {path: path.read_text() for path in before} == before
    with pytest.raises(UserError, match=r"measure\.rounds=7"):
        experiment("runtime=[eager]", "quantization=[]", "seed=1")
    experiment("runtime=[eager]", "quantization=[]", "measure.rounds=7", "seed=1")
    assert yaml.safe_load(paths.PARAMS.read_text())["seed"] == 1
    experiment(
        "runtime=[eager]", "quantization=[]", "measure.rounds=8", "seed=1"
    )  # another value, on purpose
    assert yaml.safe_load(paths.PARAMS.read_text())["measure"]["rounds"] == 8


def test_an_experiment_on_the_plain_study_goes_on_as_ever(experiment) -> None:  # type: ignore[no-untyped-def]
    assert main.main(["compose"]) == 0
    experiment("seed=1")
    assert schema.overrides() == ["++seed=1"]


def test_an_experiment_with_a_wrong_value_changes_nothing(experiment) -> None:  # type: ignore[no-untyped-def]
    assert main.main(["compose"]) == 0
    before = paths.PARAMS.read_text()
    with pytest.raises(UserError, match="epochs=-1"):
        experiment("families.cnn.train.epochs=-1")
    assert paths.PARAMS.read_text() == before


def test_an_experiment_on_a_copied_study_names_the_file(conf: Path, experiment) -> None:  # type: ignore[no-untyped-def]
    assert main.main(["compose"]) == 0
    text = (conf / "study/quick.yaml").read_text().replace("study: quick", "study: my digits # mine")
    (conf / "study/copied.yaml").write_text(text)
    paths.PARAMS.write_text(paths.PARAMS.read_text().replace("study: quick", "study: my digits"))
    with pytest.raises(
        UserError, match=r"conf/study/copied\.yaml: `study: my digits` is not the file's name"
    ):
        check_params.guard()


def test_a_study_that_git_does_not_track_is_told_in_a_queued_experiment(
    conf: Path,
    tmp_path: Path,
    experiment,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    text = (conf / "study/quick.yaml").read_text().replace("study: quick", "study: mine")
    (conf / "study/mine.yaml").write_text(text)
    params = compose.compose(["study=mine"])
    queue = tmp_path / ".dvc/tmp/exps/one"
    queue.mkdir(parents=True)
    shutil.copytree(conf, queue / "conf", ignore=lambda folder, names: ["mine.yaml"])
    os.chdir(queue)
    paths.PARAMS.write_text(params)
    with pytest.raises(UserError, match=r"study=mine: git does not track conf/study/mine\.yaml"):
        check_params.guard()


def test_an_experiment_with_a_file_that_sets_anothers_key_is_refused(conf: Path, experiment) -> None:  # type: ignore[no-untyped-def]
    assert main.main(["compose"]) == 0
    (conf / "runtime/bad.yaml").write_text("# @package runtimes.onnxruntime\nname: openvino\n")
    settings = yaml.safe_load(paths.PARAMS.read_text())
    settings["runtimes"]["onnxruntime"] = {"name": "openvino"}
    paths.PARAMS.write_text(yaml.safe_dump(settings))
    with pytest.raises(UserError, match=r"conf/runtime/bad\.yaml: its first line has to be"):
        check_params.guard()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', None])
def test_damaged_overrides_come_back_from_git_or_are_given_again(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is None:
        paths.OVERRIDES.mkdir(parents=True)
    else:
        paths.OVERRIDES.parent.mkdir(parents=True)
        paths.OVERRIDES.write_text(text)
    remedy = f"`git checkout {paths.OVERRIDES}` brings .* otherwise delete it, and run `breakeven compose`"
    with pytest.raises(UserError, match=f"^{paths.OVERRIDES} is .*{remedy}"):
        schema.overrides()
