"""Every runtime and every toolchain on three trained models, and runtimes on one that most cannot take."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fakes
import numpy as np
import pytest
import torch
from artifact_drafts import draft
from shipped_options import CANNOT, RUNTIMES, TOOLCHAINS, named
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy

from breakeven.artifacts import inference, saved_model
from breakeven.artifacts.artifact import Artifact, model_inputs
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import ImageInput, ModelManifest, read_card
from breakeven.core import plugin
from breakeven.pipeline import build
from breakeven.pipeline.build import ArtifactBuilder
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.objections import Tolerance
from breakeven.plugins.quantization.base import CalibrationData

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MEAN, STD = [0.5] * 3, [0.3] * 3
# The model, its side, and epochs that teach it enough
MODELS = {
    "cnn": ({"_target_": "breakeven.plugins.models.cnn.cnn"}, 32, 6),
    "resnet18": ({"_target_": "breakeven.plugins.models.resnet18.resnet18"}, 32, 3),
    "mobilenet_v3_small": (
        {"_target_": "torchvision.models.mobilenet_v3_small", "_inputs_": {"num_classes": "classes"}},
        64,
        12,
    ),
}

# What a branch on what is seen becomes, in what each runtime's files hold
PYTHON = ("ok", "")  # its own code runs
FROZEN = ("wrong", "differ from eager's by|agrees with eager in")  # a trace has one of the two ways
REFUSED = ("unsupported", "cannot (take|export) this model: .*data-dependent")
BRANCH = {
    "eager": PYTHON,
    "torch_compile": PYTHON,
    "script": PYTHON,
    "trace": FROZEN,
    "openvino": FROZEN,
    "aotinductor": REFUSED,
    "executorch": REFUSED,
    "onnxruntime": REFUSED,
    "tensorrt": REFUSED,
}


def digits(side: int) -> tuple[Images, Images]:
    """scikit-learn's, scaled up and in colour: 1,541 to learn from, and 256 others."""
    found = load_digits()
    pixels = np.round(found.images * (255 / 16)).astype(np.uint8)
    times = side // 8
    large = pixels.repeat(times, axis=1).repeat(times, axis=2)[:, None].repeat(3, axis=1)
    return Images(large[256:], found.target[256:]), Images(large[:256], found.target[:256])


def learn(model: nn.Module, train: Images, epochs: int) -> None:
    """A little: random weights' classes are ties, of which rounding says nothing."""
    inputs = torch.from_numpy(model_inputs(train.images, "outside", MEAN, STD))
    labels = torch.from_numpy(train.labels)
    steps = epochs * (len(labels) // 64)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(64)[: len(labels) // 64]:
            optimizer.zero_grad()
            cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # statistics of these weights, not of those on the way
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        for batch in inputs.split(128):
            model(batch)


def save(spec: dict[str, object], side: int, epochs: int, folder: Path) -> Path:
    """A model, trained for `epochs`, as the pipeline keeps it."""
    shape = ImageInput(3, side, side, 10)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for each other where another test has a core
    torch.manual_seed(0)
    model = saved_model.build(spec, shape)
    if epochs:
        learn(model, digits(side)[0], epochs)
    torch.set_num_threads(threads)
    facts = {"family": "cnn", "recipe": "none", "title": "", "model": spec, "shape": shape}
    facts |= {"mean": MEAN, "std": STD, "parameters": 1, "macs": 1, "activations": 1, "key": "", "made": ""}
    card = ModelManifest(**facts, val_score=0.0, test_score=0.0, train_s=0.0)
    folder.mkdir(exist_ok=True)
    saved_model.save(folder, model.eval(), card)
    return folder


@pytest.fixture(scope="module", params=MODELS)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = request.param
    return save(*MODELS[name], tmp_path_factory.mktemp(f"{name}-") / name)


@pytest.fixture(scope="module")
def maker(family: Path) -> Iterator[ArtifactBuilder]:
    """It refuses no class: the tests tell which agreement they ask for."""
    test = digits(read_card(family).shape.height)[1]
    with build.open_builder(test, Tolerance(1e-3, 0), 180) as made:
        yield made


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_gives_eagers_logits_or_says_why_not(
    maker: ArtifactBuilder, family: Path, name: str, tmp_path: Path
) -> None:
    made = exported(maker, family, name, tmp_path)
    if made.status == "unsupported":
        assert any(reason in made.reason for reason in CANNOT), made.reason
        return
    assert (made.status, made.reason) == ("ok", "")
    assert made.relative_error is not None
    assert made.relative_error < (1e-4 if made.precision == "fp32" else 0.05)


def exported(maker: ArtifactBuilder, family: Path, name: str, folder: Path) -> Artifact:
    reference = Reference(family, maker.checker.test, "outside")
    runtime = plugin.load("runtimes", RUNTIMES[name], name)
    return maker.make(folder, draft(reference, name), runtime.export, reference)


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_a_toolchain_gives_eagers_classes(
    maker: ArtifactBuilder, family: Path, name: str, tmp_path: Path
) -> None:
    reference = Reference(family, maker.checker.test, "outside")
    assert inference.accuracy(reference.logits, maker.checker.test.labels) > 0.8
    toolchain = plugin.load("quantization", TOOLCHAINS[name], name)
    runtime = plugin.load("runtimes", RUNTIMES[toolchain.runtime], toolchain.runtime)
    train = digits(read_card(family).shape.height)[0]
    inputs = partial(model_inputs, preprocessing="outside", mean=MEAN, std=STD)
    examples = CalibrationData(
        inputs(train.images[:128]), inputs(train.images[128:384]), train.labels[128:384]
    )
    base = draft(reference, toolchain.runtime, precision=toolchain.precision, quantization=name)
    made = maker.make(tmp_path, base, partial(toolchain.quantize, examples, runtime), reference)
    assert (made.status, made.reason) == ("ok", "")
    assert made.agreement is not None and made.agreement >= 0.97  # of 256; 0.99 and more were seen
    if toolchain.scheme == "static":  # which agrees not because nothing was rounded
        assert any(kernel.precision == "int8" for kernel in made.executed())


@pytest.fixture(scope="module")
def branching(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save({"_target_": "fakes.branching.Branching"}, 8, 0, tmp_path_factory.mktemp("branching"))


@pytest.fixture(scope="module")
def both_ways(branching: Path) -> Iterator[ArtifactBuilder]:
    """The two images that an export sees go one way, and all together the other."""
    pixels = np.random.default_rng(0).integers(128, 256, (64, 3, 8, 8), np.uint8)
    pixels[:2] //= 4
    images = Images(pixels, np.zeros(64, np.int64))
    with pytest.MonkeyPatch.context() as patch, build.open_builder(images, Tolerance(1e-3, 0.5), 180) as made:
        patch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))  # for the workers
        yield made


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_branch_is_taken_or_refused_or_found_to_be_frozen(
    both_ways: ArtifactBuilder, branching: Path, name: str, tmp_path: Path
) -> None:
    made = exported(both_ways, branching, name, tmp_path)
    if made.status == "unsupported" and any(reason in made.reason for reason in CANNOT):
        return
    *_, last = named(RUNTIMES[name])
    settings = RUNTIMES[name].get("of", RUNTIMES[name])
    status, reason = BRANCH.get(settings.get("method", last), REFUSED)
    assert made.status == status
    assert re.search(reason, made.reason), made.reason
