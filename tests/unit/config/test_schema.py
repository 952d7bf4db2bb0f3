"""A configuration is refused before any work starts, one sentence a fault."""

import copy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT

from breakeven.config import compose
from breakeven.config.schema import validate
from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.engine.settings import Scenario
from breakeven.results.assemble import match_controls

CONF = ROOT / "conf"
TRAIN = "families.cnn.train"
DEFAULT = yaml.safe_load(compose.compose(conf=CONF))
NAN, INF = float("nan"), float("inf")


def changed(key, value):
    """The default study with one value set."""
    settings = copy.deepcopy(DEFAULT)
    *sections, last = key.split(".")
    node = settings
    for section in sections:
        node = node.setdefault(section, {})
    node[last] = value
    return settings


def refusal(settings):
    """The one sentence with which `settings` are refused."""
    with pytest.raises(UserError) as caught:
        validate(settings)
    (sentence,) = str(caught.value).splitlines()
    return sentence


def test_the_default_study_is_accepted():
    assert validate(copy.deepcopy(DEFAULT)).study == "quick"


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        ({"name": "onnxruntime"}, "loads what torchscript and aotinductor export"),
        ({"name": "aotinductor", "freezin": True}, "did you mean 'freezing'?"),
        ({"name": "aotinductor", "precision": "bf16"}, "its precision should be fp32"),
        ({"name": "torchscript", "method": "trace", "optimize": True}, "knows optimize=false only"),
    ],
)
def test_what_the_program_in_cpp_executes_is_checked(of, sentence):
    assert sentence in refusal(changed("runtimes.cpp", {"name": "libtorch", "of": of}))


@pytest.mark.parametrize("key", ["openvino_static", "executorch_static", "torch_compile_static"])
def test_a_toolchain_without_a_dynamic_scheme_refuses_it(key):
    settings = yaml.safe_load((CONF / f"quantization/{key}.yaml").read_text())
    found = refusal(changed(f"quantizations.{key}", {**settings, "scheme": "dynamic"}))
    assert "scheme=dynamic" in found and "'static'" in found


@pytest.mark.parametrize(
    ("only", "sentence"),
    [
        ({"prune": ["*"]}, "export.only.prune: unknown; did you mean 'prune50'?"),
        (
            {"prune50": ["fp32/onnxruntim"]},
            "no precision/runtime matches it; it is unknown; did you mean 'fp32/onnxr",
        ),
        ({"none": ["int8-*/*"]}, "leaves out the baseline"),
        ({"none": 3}, "export.only.none=3: "),
    ],
)
def test_a_choice_of_variants_names_what_there_is(only, sentence):
    assert sentence in refusal(changed("export.only", only))


def test_a_recipe_that_is_not_named_is_made_in_all_variants():
    export = validate(changed("export.only", {"prune50": ["int8-*/*", "fp32/eager"]})).export
    wanted = ["none/fp32/eager", "none/int8-static/onnxruntime", "prune50/int8-static/openvino"]
    assert all(export.wants(variant) for variant in [*wanted, "prune50/fp32/eager"])
    assert not export.wants("prune50/fp32/onnxruntime")


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        (f"{TRAIN}.lr", -5, "greater than 0"),
        (f"{TRAIN}.lr", NAN, "finite"),
        (f"{TRAIN}.lr", INF, "finite"),
        (f"{TRAIN}.lr", "abc", "valid number"),
        (f"{TRAIN}.epochs", 0, "greater than 0"),
        (f"{TRAIN}.epochs", 1.5, "valid integer"),
        (f"{TRAIN}.schedule", "linear", "'onecycle' or 'cosine'"),
        (f"{TRAIN}.patience", 99, "less than epochs="),
        ("hardware.cpu1.threads", 0, "greater than 0"),
        ("compressions.prune50.ratio", 1.0, "less than 1"),
        ("datasets.digits.validation", 0, "greater than 0"),
        ("quantizations.onnxruntime_static.scheme", "fast", "'dynamic' or 'static'"),
        ("measure.confidence", 95, "less than 1"),
        ("measure.half_width", 0, "greater than 0"),
        ("measure.half_width", 1, "less than 1"),
        ("measure.min_replicates", 1, "greater than or equal to 2"),
        ("measure.min_replicates", 41, "at most max_replicates=40"),
        ("measure.rounds", 2, "greater than or equal to 3"),
        ("measure.memory_mb", -1, "greater than or equal to 0"),
        ("measure.batch_sizes", [], "at least 1"),
        ("measure.latency_limit_ms", 0, "greater than 0"),
        ("export.min_agreement", 90, "less than or equal to 1"),
        ("families", {}, "names none"),
    ],
)
def test_a_bad_value_is_refused_with_key_value_and_what_is_allowed(key, value, allowed):
    sentence = refusal(changed(key, value))
    assert sentence.startswith(f"{key}={value}: ")
    assert allowed in sentence


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        (f"{TRAIN}.epoch", "epochs"),
        (f"{TRAIN}.shedule", "schedule"),
        ("families.cnn.dat", "data"),
        ("hardware.cpu1.thread", "threads"),
        ("measure.round", "rounds"),
        ("hardwares", "hardware"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest_valid_one(key, nearest):
    assert f"did you mean {nearest!r}?" in refusal(changed(key, 1))


def test_a_key_that_is_near_nothing_is_refused_with_the_valid_ones():
    sentence = refusal(changed(f"{TRAIN}.learning_rte", 0.1))
    assert sentence.startswith(f"{TRAIN}.learning_rte=0.1: ")
    assert " lr, " in sentence


def test_an_unknown_top_level_key_is_refused():
    assert refusal(changed("foo", 1)).startswith("foo=1: the key 'foo' is unknown")


def test_faults_are_told_all_at_once_one_a_line():
    settings = changed(f"{TRAIN}.lr", -5)
    settings["families"]["cnn"]["train"]["epochs"] = 0
    with pytest.raises(UserError) as caught:
        validate(settings)
    assert [line.partition("=")[0] for line in str(caught.value).splitlines()] == [
        f"{TRAIN}.epochs",
        f"{TRAIN}.lr",
    ]


@pytest.mark.parametrize(
    "key",
    [
        "seed",
        f"{TRAIN}.lr",
        f"{TRAIN}.schedule",
        "hardware.cpu1.threads",
        "families.cnn.data",
        "families.cnn.checkpoint",
        "families.cnn.model.width",
        "datasets.digits.title",
        "runtimes.x.name",
    ],
)
def test_a_mandatory_key_that_is_not_set_is_called_mandatory(key):
    assert refusal(changed(key, "???")).startswith(f"{key} is mandatory")


def test_a_missing_key_is_called_mandatory():
    settings = copy.deepcopy(DEFAULT)
    del settings["families"]["cnn"]["train"]["lr"]
    assert refusal(settings).startswith(f"{TRAIN}.lr is mandatory")


def test_an_unknown_runtime_is_refused_with_those_that_exist():
    sentence = refusal(changed("runtimes.x.name", "nope"))
    assert sentence.startswith("runtimes.x.name=nope: ")
    words = set(sentence.rstrip(".").replace(",", "").split())
    assert {"eager", "onnxruntime", *plugin.names("runtimes")} <= words


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_server_with_a_single_caller_is_refused(kind):
    """It is the single stream."""
    sentence = refusal(changed(f"measure.server.{kind}", [2, 1]))
    assert sentence.startswith(f"measure.server.{kind}.1=1: ") and "greater than 1" in sentence


def test_every_scenario_that_is_asked_for_is_measured():
    settings = changed("measure.batch_sizes", [1, 32])
    settings["measure"]["server"] = {"threads": [2, 4], "processes": [3]}
    assert validate(settings).measure.scenarios() == [
        Scenario(),
        Scenario(batch_size=32),
        Scenario(callers=2),
        Scenario(callers=4),
        Scenario(callers=3, processes=True),
    ]


def test_the_engine_gets_every_setting_and_the_seed():
    measure = validate(changed("measure.rounds", 7)).measure
    budget = vars(measure.budget(seed=3))
    own = {"loop_ms", "narrow_replicates", "warm_up_calls"}  # no setting of a study: for calls in general
    own |= {"min_blocks"}  # follows from the limit on p99
    shared = budget.keys() - own
    assert {name: budget[name] for name in shared} == {
        name: getattr(measure, name) for name in shared if name != "seed"
    } | {"seed": 3}
    assert budget["rounds"] == 7


def test_a_runtime_of_the_users_own_is_named_by_its_module():
    assert validate(changed("runtimes.x.name", "fakes.faulty")).option("runtimes", "x").fault == ""
    assert "did you mean 'fault'?" in refusal(changed("runtimes.x", {"name": "fakes.faulty", "falt": "hang"}))


@pytest.mark.parametrize("name", ["fakes.missing", "nowhere.at_all", "os.path"])
def test_a_module_that_is_not_there_or_no_option_is_refused_by_name(name):
    assert refusal(changed("runtimes.x.name", name)).startswith(f"runtimes.x.name={name}: ")


def test_a_misspelt_runtime_is_refused_with_the_nearest():
    assert "did you mean 'onnxruntime'?" in refusal(changed("runtimes.x.name", "onnxruntim"))


def test_a_familys_dataset_must_be_in_the_study():
    sentence = refusal(changed("families.cnn.data", "digit"))
    assert sentence.startswith("families.cnn.data=digit: ")
    assert "did you mean 'digits'?" in sentence


def test_a_study_without_the_baseline_is_refused():
    settings = copy.deepcopy(DEFAULT)
    del settings["runtimes"]["eager"]
    assert "'eager' must be among them" in refusal(settings)


@given(st.integers(max_value=0))
def test_no_count_of_epochs_below_one_is_accepted(epochs):
    assert refusal(changed(f"{TRAIN}.epochs", epochs)).startswith(f"{TRAIN}.epochs={epochs}: ")


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_every_positive_finite_learning_rate_is_accepted(lr):
    assert validate(changed(f"{TRAIN}.lr", lr)).families["cnn"].train.lr == lr


def test_a_boolean_is_not_a_number():
    assert refusal(changed(f"{TRAIN}.epochs", True)).startswith(f"{TRAIN}.epochs=True: ")


def test_a_recipes_control_is_trained_as_long_and_as_fast():
    def found(recipes):
        return match_controls(
            validate(yaml.safe_load(compose.compose([f"compression=[{recipes}]"], CONF))).recipes()
        )

    expected = {"half": "control", "half_long": "control_long", "qat": "control_qat"}
    assert found("control,control_long,control_qat,half,half_long,qat,prune50_qat,student") == expected
    assert found("half") == {}


@pytest.mark.parametrize(
    ("name", "sizes", "sentence"),
    [
        ("height", {"least": 8, "most": 8}, "varying.height.least=8: should be less than most=8"),
        ("height", {"least": 6, "most": 12, "step": 4}, "height.least=6: should be a multiple of step=4"),
        ("batch", {"least": 1, "most": 8}, "varying.batch: choose a name"),
        ("text-length", {"least": 1, "most": 8}, "varying.text-length: choose a name"),
        ("height", {"least": 4, "most": 8, "steps": 2}, "'steps' is unknown; did you mean 'step'?"),
    ],
)
def test_a_size_that_varies_has_a_name_and_bounds(name, sizes, sentence):
    assert sentence in refusal(changed(f"families.cnn.varying.{name}", sizes))
