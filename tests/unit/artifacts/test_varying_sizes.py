"""Inputs that are unlike the test set, of other sizes or values: what every runtime does with them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import fakes
import numpy as np
import pytest
import torch
from artifact_drafts import TOLERANCE, draft
from fakes.odd_models import InFours, SizeOfTheTrace, Textured
from hypothesis import given
from hypothesis import strategies as some
from model_cards import UNTRAINED
from shipped_options import CANNOT, RUNTIMES, TOOLCHAINS, named

from breakeven.artifacts import saved_model
from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import FeatureInput, FieldsInput, ImageInput, TextInput
from breakeven.artifacts.records import fields_of, join
from breakeven.artifacts.varying import (
    VaryingDimension,
    dimensions,
    extremes,
    require_within,
    resize,
    words,
)
from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.pipeline import build
from breakeven.pipeline.build import ArtifactBuilder
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.model_sizes import require_sizes
from breakeven.plugins.quantization.base import CalibrationData

SHAPE = ImageInput(1, 8, 8, 10)
IMAGE_SIZES = {"height": {"least": 6, "most": 24}, "width": {"least": 8, "most": 20, "step": 4}}
FIELDS = FieldsInput({"tokens": ["int64", 12], "mask": ["int64", 12], "age": ["float32", 7]}, 2, 5)


def settings(**sizes: dict) -> dict:
    """Return settings with what the schema sets by default."""
    return {name: {"step": 1, "inputs": [], "axis": 0, **one} for name, one in sizes.items()}


VARYING = dimensions(settings(**IMAGE_SIZES), SHAPE, "families.cnn.varying")


@pytest.mark.parametrize(
    ("sizes", "shape", "sentence"),
    [
        (
            {"depth": {"least": 1, "most": 9}},
            SHAPE,
            "varying.depth: is no dimension of this dataset's inputs",
        ),
        ({"depth": {"least": 1, "most": 9}}, SHAPE, "height or width"),
        ({"length": {"least": 1, "most": 9}}, FeatureInput(4, 2), "a table's columns are fixed"),
        ({"length": {"least": 4, "most": 9}}, TextInput(12, 5, 2), "the dataset's own size is 12"),
        ({"height": {"least": 3, "most": 9, "step": 3}}, SHAPE, "height 3 to 9 in steps of 3"),
        ({"length": {"least": 4, "most": 20}}, FIELDS, "varying.length.inputs: say which of the inputs"),
        ({"length": {"least": 4, "most": 20, "inputs": ["text"]}}, FIELDS, "'text' is none of the inputs"),
        (
            {"height": {"least": 4, "most": 9, "axis": 1}},
            SHAPE,
            "for samples of several inputs: leave",
        ),
        ({"length": {"least": 4, "most": 20, "inputs": ["tokens", "age"]}}, FIELDS, "have 12 and 7 there"),
        (
            {
                "length": {"least": 4, "most": 20, "inputs": ["tokens", "mask"]},
                "width": {"least": 4, "most": 20, "inputs": ["mask"]},
            },
            FIELDS,
            "varying.width: is the same axis of the same input as length",
        ),
        (
            {"length": {"least": 4, "most": 20, "inputs": ["mask"], "axis": 1}},
            FIELDS,
            "varying.length.axis=1: a sample of mask has no such axis",
        ),
    ],
)
def test_a_dimension_that_cannot_vary_is_refused(sizes: dict, shape: object, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        dimensions(settings(**sizes), shape, "families.x.varying")  # type: ignore[arg-type]
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("families.x.varying.")


def test_every_combination_of_smallest_and_largest_is_tried() -> None:
    assert [words(sizes) for sizes in extremes(VARYING)] == [
        "height 6 and width 8",
        "height 6 and width 20",
        "height 24 and width 8",
        "height 24 and width 20",
    ]
    assert extremes(()) == []


@given(length=some.integers(1, 40), own=some.integers(1, 20))
def test_resized_samples_begin_as_the_samples_do(length: int, own: int) -> None:
    shape = FieldsInput({"tokens": ["int64", own], "mask": ["int64", own], "age": ["float32"]}, 2)
    size = {"least": 1, "most": 40, "inputs": ["tokens", "mask"]}
    varying = dimensions(settings(length=size), shape, "families.x.varying")
    tokens = np.arange(3 * own).reshape(3, own)
    samples = join({"tokens": tokens, "mask": -tokens, "age": np.zeros(3, np.float32)})
    found = fields_of(resize(samples, varying, {"length": length}))
    assert [array.shape for array in found] == [(3, length), (3, length), (3,)]
    common = min(length, own)
    assert (found[0][:, :common] == tokens[:, :common]).all()
    assert (found[0] == -found[1]).all()
    assert set(found[0][0]) <= set(tokens[0])


def test_a_model_that_takes_one_size_only_is_refused() -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    card = replace(UNTRAINED, varying=[asdict(one) for one in VARYING])
    with pytest.raises(UserError, match=r"families\.x\.varying: .* height 6 and width 8, .*: name every"):
        require_sizes(model, images().images, card, "families.x.varying")


def test_a_loaded_artifact_refuses_a_size_that_was_not_checked() -> None:
    require_within(np.zeros((2, 1, 6, 20)), VARYING)
    for height, width, said in ((5, 20, "height 5"), (6, 18, "width 18"), (6, 24, "width 24")):
        with pytest.raises(UserError, match=f"the inputs have {said}: this artifact was made for "):
            require_within(np.zeros((2, 1, height, width)), VARYING)


def test_inputs_that_share_a_size_have_to_agree() -> None:
    """OpenVINO would answer with the outputs of the call before."""
    size = {"least": 4, "most": 20, "inputs": ["tokens", "mask"]}
    varying = dimensions(settings(length=size), FIELDS, "families.x.varying")
    tokens, age = np.zeros((1, 20)), np.zeros((1, 7))
    require_within(join({"tokens": tokens, "mask": tokens, "age": age}), varying)
    with pytest.raises(UserError, match="the inputs have length 20 and 10: it should be one"):
        require_within(join({"tokens": tokens, "mask": tokens[:, :10], "age": age}), varying)
    with pytest.raises(UserError, match="has no length: give a batch of samples"):
        require_within(
            np.zeros(20), dimensions(settings(length={"least": 4, "most": 20}), TextInput(12, 5, 2), "x")
        )


def images() -> Images:
    draw = np.random.default_rng(0)
    return Images(draw.integers(0, 256, (64, 1, 8, 8), np.uint8), draw.integers(0, 10, 64))


@pytest.fixture(scope="module")
def builder() -> Iterator[ArtifactBuilder]:
    loaded = [plugin.load("runtimes", settings, name) for name, settings in RUNTIMES.items()]
    modules = [module for runtime in loaded for module in runtime.exporter]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
        with build.open_builder(images(), TOLERANCE, 120, modules=modules) as builder:
            yield builder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolutional network with random weights, which takes images of any size."""
    spec = {"_target_": "breakeven.plugins.models.cnn.cnn", "width": 8, "depth": 1}
    return saved(tmp_path_factory.mktemp("model"), spec)


def saved(folder: Path, spec: dict, varying: Sequence[VaryingDimension] = VARYING) -> Path:
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = saved_model.build(spec, SHAPE).eval()
    open_sizes = [asdict(one) for one in varying]
    card = replace(UNTRAINED, model=spec, shape=SHAPE, test_score=None, varying=open_sizes, output_count=2)
    saved_model.save(folder, model, card)
    return folder


def exported(builder: ArtifactBuilder, model: Path, name: str, target: Path) -> tuple[Artifact, Reference]:
    """Export a saved model with a runtime of `conf/`; return the artifact and its reference."""
    runtime = plugin.load("runtimes", RUNTIMES[name], name)
    reference = Reference(model, builder.checker.test, "outside")
    made = builder.make(target, draft(reference, name, trained=False), runtime.export, reference)
    return made, reference


# Inductor and ExecuTorch take long: one of each here, and the others with the slow tests.
FEW = ("aotinductor", "executorch")
LONG = [name for name, own in RUNTIMES.items() if {"torch_compile", *FEW} & {*named(own)} and name not in FEW]
LONG_TOOLCHAINS = [name for name, own in TOOLCHAINS.items() if own["runtime"] in (*FEW, *LONG)]


def cases(options: dict[str, dict], long: list[str]) -> list:
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in long)) for name in options]


@pytest.mark.parametrize("name", cases(RUNTIMES, LONG))
@pytest.mark.timeout(300)
def test_every_runtime_takes_every_size_or_says_why_not(
    builder: ArtifactBuilder, network: Path, tmp_path: Path, name: str
) -> None:
    made, reference = exported(builder, network, name, tmp_path)
    if made.status == "unsupported":
        reasons = (*CANNOT, "it takes inputs of one size only")
        assert any(reason in made.reason for reason in reasons), made.reason
        return
    assert (made.status, made.reason) == ("ok", "")
    assert [*reference.resized] == [words(sizes) for sizes in extremes(VARYING)]  # each was compared
    sizes = plugin.load("runtimes", RUNTIMES[name], name).sizes
    said = made.facts["sizes of inputs"]
    assert said == f"height 6 to 24, width 8 to 20 in steps of 4, checked at both ends: {sizes}"
    if "graph" in made.facts:
        assert made.facts["graph"] == "whole, no breaks"


@pytest.mark.parametrize("name", cases(TOOLCHAINS, LONG_TOOLCHAINS))
@pytest.mark.timeout(300)
def test_every_toolchain_takes_every_size(
    builder: ArtifactBuilder, network: Path, tmp_path: Path, name: str
) -> None:
    toolchain = plugin.load("quantization", TOOLCHAINS[name], name)
    runtime = plugin.load("runtimes", RUNTIMES[toolchain.runtime], toolchain.runtime)
    reference = Reference(network, builder.checker.test, "outside")
    inputs = images().images.astype(np.float32) / 255
    labels = np.zeros(64, np.int64)
    examples = CalibrationData(inputs, inputs, labels)
    base = draft(
        reference, toolchain.runtime, precision=toolchain.precision, quantization=name, trained=False
    )
    made = builder.make(tmp_path, base, partial(toolchain.quantize, examples, runtime), reference)
    if name == "torch_compile_static":  # Inductor of torch 2.14 lays out its int8 convolutions for one size
        assert (made.status, "expected size" in made.reason) == ("unsupported", True)
        return
    assert (made.status, made.reason) == ("ok", "")
    assert made.facts["sizes of inputs"].startswith("height 6 to 24, ")


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("eager", "ok", ""),
        ("torchscript_traced", "wrong", "with black images, its outputs differ from eager's by "),
        ("torchscript_scripted", "ok", ""),
        ("onnxruntime", "unsupported", "torch.onnx cannot export this model: "),
    ],
)
def test_a_branch_that_a_trace_did_not_take_is_found_before_anything_is_measured(
    builder: ArtifactBuilder, tmp_path: Path, name: str, status: str, reason: str
) -> None:
    """The outputs for all test images are right, so that only another image shows it."""
    spec = {"_target_": f"fakes.odd_models.{Textured.__name__}"}
    made, _ = exported(builder, saved(tmp_path / "model", spec, ()), name, tmp_path)
    assert made.status == status and made.reason.startswith(reason), made.reason


def test_a_size_that_a_trace_made_a_constant_is_found(builder: ArtifactBuilder, tmp_path: Path) -> None:
    """The outputs for the dataset's own size are right, so that only another size shows it."""
    spec = {"_target_": f"fakes.odd_models.{SizeOfTheTrace.__name__}"}
    for varying in ((), VARYING):
        folder = saved(tmp_path / f"model{len(varying)}", spec, varying)
        for name in ("eager", "torchscript_traced"):
            made, _ = exported(builder, folder, name, tmp_path / f"{name}{len(varying)}")
            assert made.status == ("wrong" if varying and name != "eager" else "ok"), made.reason
    assert made.reason.startswith("with height 6 and width 8, its outputs differ from eager's by ")


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("torch_compile", "executorch")]


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", *SLOW])
@pytest.mark.timeout(300)
def test_a_model_that_needs_multiples_and_gives_two_outputs(
    builder: ArtifactBuilder, tmp_path: Path, name: str
) -> None:
    width = {"width": {"least": 4, "most": 20, "step": 4}, "height": {"least": 4, "most": 12, "step": 4}}
    varying = dimensions(settings(**width), SHAPE, "families.x.varying")
    spec = {"_target_": f"fakes.odd_models.{InFours.__name__}", "_output_": 0}
    made, reference = exported(builder, saved(tmp_path / "model", spec, varying), name, tmp_path)
    assert (made.status, made.reason) == ("ok", "")
    assert len(reference.resized) == 4


def test_a_runtime_that_does_not_know_of_sizes_is_not_asked(
    builder: ArtifactBuilder, network: Path, tmp_path: Path
) -> None:
    """The one of the guide exports with the dataset's size."""
    own = {"name": "examples.own_runtime.exported_program"}
    reference = Reference(network, builder.checker.test, "outside")
    base = replace(draft(reference, "eager"), runtime="exported_program", settings=own)
    made = builder.make(tmp_path, base, pytest.fail, reference)
    assert (made.status, made.reason) == ("unsupported", "it takes inputs of one size only")
