"""`conf/` and `params.yaml`: every option composes, mistakes are named, and differences can be replayed."""

import copy
import shlex
from contextlib import nullcontext
from functools import cache

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT

from breakeven.cli import main
from breakeven.config import compose
from breakeven.config.compose import differences, literal
from breakeven.config.schema import validate
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.pipeline.sweep import job_study

CONF = ROOT / "conf"
OPTIONS = sorted((path.parent.name, path.stem) for path in CONF.glob("*/*.yaml"))
SWEEPS = sorted(path.stem for path in CONF.glob("study/*.yaml") if "sweeper:" in path.read_text())
# How an option is selected; all other groups are lists.
SELECT = {
    "data": "+data@datasets.x={}",
    "family": "+family@families.x={}",
    "model": "model@families.cnn.model={}",
    "task": "+task@families.cnn.task={}",
    "train": "train@families.cnn.train={}",
    "study": "study={}",
}


@cache
def text(*overrides):
    return compose.compose(overrides, CONF)


def composed(*overrides):
    return yaml.safe_load(text(*overrides))


DEFAULT = composed()


# What is given for mandatory values that are no plain texts
GIVEN = {
    "targets": ["given"],
    "inputs": ["given"],
    "better": "higher",
    "score": "given:given",
    "train": "given:given",
}


def filled(node, key=""):
    """`node` with every mandatory value given."""
    if isinstance(node, dict):
        return {name: filled(value, name) for name, value in node.items()}
    return GIVEN.get(key, "given") if node == "???" else node


def leaves(node, place=()):
    if not isinstance(node, dict):
        return [place]
    return [leaf for key, value in node.items() for leaf in leaves(value, (*place, key))]


def replaced(node, place, value):
    """A copy of `node` with another value at `place`."""
    changed = copy.deepcopy(node)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def test_the_committed_parameters_are_what_conf_composes_to():
    assert compose.compose(conf=CONF) == (ROOT / "params.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_an_option_is_at_most_twenty_lines(group, name):
    assert len((CONF / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()) <= 20


@pytest.mark.parametrize(("group", "name"), [option for option in OPTIONS if option[1] not in SWEEPS])
def test_every_option_composes_to_a_valid_study(group, name):
    chosen = (
        f"eager,{name}" if group == "runtime" and name != "eager" else name
    )  # no study without the baseline
    overrides = [SELECT.get(group, f"{group}=[{{}}]").format(chosen)]
    if group == "task":
        overrides.append("families.cnn.train.crop=0")  # a mask would not follow
    if (group, name) == ("task", "custom"):
        overrides.append("families.cnn.task.train_loss='given:given'")
    study = composed(*overrides)
    needed = {family["data"] for family in study["families"].values()} - set(study["datasets"])
    overrides += [f"+data@datasets.{data}={data}" for data in needed - {"???"}]
    if any(family["train"] is None for family in study["families"].values()):
        overrides.append("compression=[]")  # which what is not trained cannot be fine-tuned after
    study = composed(*overrides)
    assert validate(filled(study)).families.keys() == study["families"].keys()


@pytest.mark.parametrize(
    ("group", "name"), [option for option in OPTIONS if option[0] not in SELECT and option[1] != "none"]
)
def test_an_option_that_can_stand_beside_others_lands_under_its_own_name(group, name):
    header = (CONF / group / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
    assert header.startswith("# @package ")
    assert header.endswith(f".{name}")


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_says_how_it_is_run_and_its_jobs_are_studies(name):
    with pytest.raises(UserError, match=f"`breakeven-sweep study={name}`"):
        validate(composed(f"study={name}"))
    job = yaml.safe_load(compose.compose([f"study={name}"], CONF, "sweep"))
    assert list(job_study.study_of(job, "cnn", []).families) == ["cnn"]


@pytest.mark.parametrize("name", [name for group, name in OPTIONS if group == "quantization"])
def test_a_toolchain_names_a_runtime_that_conf_offers(name):
    assert ("runtime", composed(f"quantization=[{name}]")["quantizations"][name]["runtime"]) in OPTIONS


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("runtime=[nope]", "Allowed: aotinductor, "),
        ("runtime=[eager,onnxruntim]", "did you mean 'onnxruntime'?"),
        ("study=refrence", "did you mean 'reference'?"),
        ("hardware=[cpu9]", "did you mean 'cpu"),
        ("family@families.cnn=cnnn", "did you mean 'cnn'?"),
        ("families.cnn.train.lrr=1", "did you mean 'lr'?"),
        ("families.cnn.trian.lr=1", "did you mean 'train'?"),
        ("~families.cnnn", "did you mean 'cnn'?"),
    ],
)
def test_a_bad_override_gives_one_sentence_with_the_valid_names(override, hint):
    with pytest.raises(UserError) as caught:
        composed(override)
    (sentence,) = str(caught.value).splitlines()
    assert sentence.startswith(override.lstrip("~"))
    assert hint in sentence


# What a file can hold: no control characters. Backslashes and interpolations have their own tests.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\\$") | st.just(" ")
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
LEAVES = [leaf for leaf in leaves(DEFAULT) if leaf != ("study",)]  # `study=` selects a file


@settings(max_examples=8)
@given(st.dictionaries(st.sampled_from(LEAVES), VALUES, min_size=1, max_size=5))
def test_replayed_differences_give_the_changed_composition(changes):
    changed = DEFAULT
    for place, value in changes.items():
        changed = replaced(changed, place, value)
    assert composed(*differences(DEFAULT, changed)) == changed


@pytest.mark.parametrize(
    "path",
    ["weights/epoch=3.ckpt", "epoch=3-step=10.ckpt", "my model (1).ckpt", "a,b.ckpt", "~/w.pt", "a#b.pt"],
)
def test_a_path_that_needs_quotes_is_named_and_what_is_advised_works(path):
    override = f"families.cnn.checkpoint={path}"
    with pytest.raises(UserError) as refused:
        compose.compose([override], CONF)
    sentence = str(refused.value)
    assert sentence.startswith(f"{override}: ") and "\n" not in sentence
    (advised,) = shlex.split(sentence.split("`")[1])
    composed = yaml.safe_load(compose.compose([advised], CONF))
    assert composed["families"]["cnn"]["checkpoint"] == path


@pytest.mark.parametrize("override", ["runtime=[eager", "study={a: 1", "study='quick"])
def test_an_override_that_is_not_closed_is_named(override):
    with pytest.raises(UserError, match="close its brackets and quotes") as refused:
        compose.compose([override], CONF)
    assert str(refused.value).startswith(f"{override}: ")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("runtimes",), {"eager": {"name": "eager"}}),
        (("runtimes", "added"), {"name": "torchscript", "method": "script"}),
        (("families", "cnn", "model"), {"_target_": "a.b"}),
        (("quantizations",), {}),
        (("compressions",), {}),
    ],
)
def test_a_section_that_gains_or_loses_keys_is_replayed(place, value):
    changed = replaced(DEFAULT, place, value)
    assert composed(*differences(DEFAULT, changed)) == changed


def test_equal_compositions_differ_in_nothing():
    assert list(differences(DEFAULT, copy.deepcopy(DEFAULT))) == []


@settings(max_examples=8)
@given(st.lists(VALUES, max_size=20))
def test_a_literal_is_read_back_as_it_was(values):
    assert repr(composed(f"++seed={literal(values)}")["seed"]) == repr(values)


@pytest.mark.parametrize(
    "value",
    [
        'it\'s "it"',
        "a, b: c=d",
        "ü→ß",
        "null",
        "1e5",
        "[a]",
        "{a:b}",
        "",
        " a ",
        "C:\\new\\",
        "a\\'b",
        "${seed}",
    ],
)
def test_a_difficult_string_is_read_back_as_it_was(value):
    assert composed(f"++study_note={literal(value)}")["study_note"] == value


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with only the project's `conf/`."""
    (tmp_path / "conf").symlink_to(CONF)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_parameters_and_remembers_the_overrides(folder):
    assert main.main(["compose", "seed=7"]) == 0
    assert yaml.safe_load((folder / "params.yaml").read_text())["seed"] == 7
    assert read_json(folder / "results/composed/overrides.json") == ["seed=7"]


@pytest.mark.parametrize("override", ["seeed=7", "seed=-7", "study=refrence"])
def test_the_command_leaves_everything_as_it_was_after_a_mistake(folder, override, capsys):
    assert main.main(["compose", override]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["conf"]


@pytest.mark.parametrize(
    ("train", "checkpoint", "compressed", "refused"),
    [
        (True, None, False, True),
        (True, "weights.pt", True, True),
        (True, "weights.pt", False, False),
        (False, None, False, False),
    ],
)
def test_random_texts_are_not_trained(train, checkpoint, compressed, refused):
    from breakeven.pipeline.stages.check_params import require_models

    texts = {
        "_target_": "torch.nn.Embedding",
        "embedding_dim": 2,
        "_inputs_": {"num_embeddings": "vocabulary"},
    }
    found = composed()
    found["datasets"]["words"] = composed("+data@datasets.words=random_tokens")["datasets"]["words"]
    family = {**found["families"]["cnn"], "data": "words", "model": texts, "checkpoint": checkpoint}
    found["families"] = {"cnn": family if train else {**family, "train": None}}
    found["compressions"] = found["compressions"] if compressed else {}
    with pytest.raises(UserError, match="nothing that could be learned") if refused else nullcontext():
        require_models(validate(found))


@pytest.mark.parametrize("architecture", ["regnet_y_400mf", "squeezenet1_1"])
def test_a_constructor_that_computes_with_tensors_is_a_model_too(architecture):
    from breakeven.pipeline.stages.check_params import require_models

    found = composed()
    found["families"]["cnn"]["model"] = {
        "_target_": f"torchvision.models.{architecture}",
        "_inputs_": {"num_classes": "classes"},
    }
    require_models(validate(found))
    found["families"]["cnn"]["model"]["widht"] = 4
    with pytest.raises(UserError, match="widht"):
        require_models(validate(found))


@pytest.mark.parametrize(
    ("model", "data", "patch", "said"),
    [
        ("patches", {"name": "fashion_mnist", "title": "f"}, 7, ""),  # 28 pixels, which are known
        (
            "patches",
            {"name": "fashion_mnist", "title": "f"},
            5,
            "images of 28 pixels are no whole patches of 5",
        ),
        (
            "patches",
            {"name": "image_folder", "title": "i", "path": "mine", "size": 64},
            7,
            "images of 64 pixels are no",
        ),
        (
            "patches",
            {"name": "image_folder", "title": "i", "path": "mine"},
            7,
            "",
        ),  # not known before they are read
        ("patches", {"name": "image_folder", "title": "i", "path": "mine"}, "7", "unsupported operand"),
        ("checked", {"name": "fashion_mnist", "title": "f"}, 3, ""),
        (
            "checked",
            {"name": "image_folder", "title": "i", "path": "mine", "size": 64},
            3,
            "height=64: input",
        ),
        ("checked", {"name": "image_folder", "title": "i", "path": "mine"}, 3, ""),
        (
            "checked",
            {"name": "image_folder", "title": "i", "path": "mine"},
            "x",
            "Its arguments: ",
        ),
        ("large", {"name": "image_folder", "title": "i", "path": "mine"}, 40, ""),
        ("large", {"name": "fashion_mnist", "title": "f"}, 40, "Kernel size can't be greater"),
    ],
)
def test_a_constructor_is_asked_about_sizes_that_are_known_only(model, data, patch, said):
    from breakeven.pipeline.stages.check_params import require_models

    found = composed()
    inputs = {} if model == "large" else {"in_channels": "channels", "height": "height"}
    found["families"]["cnn"]["model"] = {
        "_target_": f"fakes.patches.{model}",
        "_inputs_": inputs,
        "patch": patch,
    }
    found["datasets"] = dict.fromkeys(found["datasets"], data)
    found["compressions"] = {}
    with pytest.raises(UserError, match=said) if said else nullcontext():
        require_models(validate(found))
