"""Compressions: what they do to a model, and recipes of several steps."""

import copy
import csv
import json
from collections.abc import Iterator
from functools import partial

import pytest
import torch
import torch_pruning as tp
import torchvision
import yaml
from project import ROOT, Project
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from breakeven.artifacts.model_size import flops
from breakeven.config import compose, schema
from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.plugins.compression.base import LossOf
from breakeven.plugins.compression.prune import ImportancePerMac, Prune
from breakeven.plugins.compression.qat import Qat
from breakeven.plugins.models.cnn import cnn
from breakeven.plugins.models.resnet18 import resnet18

pytestmark = pytest.mark.timeout(300)
FINE_TUNING = {"epochs": 0.5, "lr": 0.1, "distil": 0.0, "temperature": 4.0}
EXAMPLE = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def lessons(count: int) -> Iterator[tuple[Tensor, LossOf]]:
    """Batches of 64 images of 8x8 in shades of grey, of two classes."""
    labels = torch.arange(64) % 2
    for _ in range(count // 64):
        yield (
            labels.view(-1, 1, 1, 1).expand(-1, 1, 8, 8) + 0.1 * torch.randn(64, 1, 8, 8),
            partial(cross_entropy, target=labels),
        )


def qat() -> Qat:
    made = plugin.load("compression", {"name": "qat", **FINE_TUNING}, "qat")
    assert isinstance(made, Qat)
    return made


@pytest.fixture(params=["cnn", "resnet18"])
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    if request.param == "cnn":
        return cnn(1, 10, 8, 1)
    return resnet18(in_channels=1, num_classes=10, stem="cifar", width=8)


def test_qat_computes_with_roundings_and_leaves_none_behind(model: nn.Module) -> None:
    plain = copy.deepcopy(model.eval())
    assert qat().apply(model, EXAMPLE, lessons) == []
    model.train()(EXAMPLE)  # which finds the ranges
    plain.train()(EXAMPLE)  # and the same statistics of the batch norms
    rounded, exact = model.eval()(EXAMPLE), plain.eval()(EXAMPLE)
    assert not torch.equal(rounded, exact)
    assert (rounded - exact).abs().max() < 0.2 * exact.abs().max()
    qat().finish(model)
    # The running statistics saw rounded activations.
    assert model.state_dict().keys() == plain.state_dict().keys()
    for name, weight in plain.named_parameters():
        assert torch.equal(weight, model.get_parameter(name)), name
    assert not any(layer._forward_pre_hooks for layer in model.modules())


def test_a_rounded_weight_has_at_most_255_values_a_channel(model: nn.Module) -> None:
    qat().apply(model, EXAMPLE, lessons)
    layer = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    for channel in layer.weight.detach():
        step = channel.abs().max() / 127
        assert torch.allclose(channel / step, (channel / step).round(), atol=1e-3)


def test_a_copy_rounds_by_its_own_ranges(model: nn.Module) -> None:
    qat().apply(model, EXAMPLE, lessons)
    model.train()(EXAMPLE)
    other = copy.deepcopy(model)
    other.train()(100 * EXAMPLE)
    first, copied = (next(m for m in net.modules() if isinstance(m, nn.Conv2d)) for net in (model, other))
    assert copied.input_rounding.scale > 1.2 * first.input_rounding.scale


@pytest.mark.parametrize(("width", "half"), [(16, 8), (1, 1), (0.5, 0.25)])
def test_a_student_is_the_same_model_with_less_of_one_argument(width: float, half: float) -> None:
    student = plugin.load("compression", {"name": "student", "factor": 0.5, **FINE_TUNING}, "student")
    assert student.architecture({"_target_": "x", "width": width}) == {"_target_": "x", "width": half}
    with pytest.raises(Unsupported, match="set no number 'width'"):
        student.architecture({"_target_": "x", "width": True})


def test_a_graph_that_pruning_cannot_follow_is_a_sentence() -> None:
    shuffling = torchvision.models.shufflenet_v2_x0_5(num_classes=4).eval()
    prune = Prune(name="prune", ratio=0.5, round_to=8, epochs=1, lr=1, distil=0, temperature=1)
    with pytest.raises(Unsupported, match="torch-pruning cannot follow this model's graph"):
        prune.apply(shuffling, torch.zeros(2, 3, 64, 64), lessons)


@pytest.mark.parametrize("scope", ["layer", "model"])
def test_what_the_loss_does_not_need_goes_however_large_it_is(scope: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2)),
    ).eval()
    with torch.no_grad():
        model[0].weight[8:] *= 10
        model[3].weight[:, 8:] = 0  # nobody listens to the large ones
    removed = {}
    for importance in ("magnitude", "hessian"):
        settings = {"importance": importance} | ({"images": 256} if importance == "hessian" else {})
        prune = Prune(name="prune", macs=0.6, scope=scope, round_to=8, **settings, **FINE_TUNING)
        pruned = copy.deepcopy(model)
        history = prune.apply(pruned, torch.zeros(2, 1, 8, 8), lessons)
        removed[importance] = [sorted(index) for name, _, index in history if name == "0"]
        assert all(parameter.grad is None for parameter in pruned.parameters())
    assert removed["hessian"] == [list(range(8, 16))] != removed["magnitude"]


def test_what_is_frozen_is_no_reason_to_refuse_a_model() -> None:
    model = cnn(1, 2, 16, 1).eval()
    next(model.parameters()).requires_grad_(False)
    prune = Prune(name="prune", macs=0.5, scope="model", importance="hessian", round_to=8, **FINE_TUNING)
    assert prune.apply(model, torch.zeros(2, 1, 8, 8), lessons)


@pytest.mark.parametrize("number", [0, 2, 4])
def test_the_work_of_a_channel_is_what_goes_with_it(number: int) -> None:
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3, groups=16), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 1), nn.Flatten(), nn.Linear(4 * 32, 2)),
    ).eval()
    example = torch.zeros(2, 1, 8, 8)
    ones = ImportancePerMac(lambda group: torch.ones(8), model, example)
    graph = tp.DependencyGraph().build_dependency(model, example)
    remove = tp.prune_depthwise_conv_out_channels if number == 2 else tp.prune_conv_out_channels
    group = graph.get_pruning_group(model[number], remove, list(range(8)))
    each = 1 / ones(group)[0].item()
    before = flops(model, example)
    group.prune()
    assert before - flops(model, example) == pytest.approx(2 * len(example) * 8 * each)


def test_settings_that_would_do_nothing_are_refused() -> None:
    for settings, sentence in (({"most": 0.5}, "scope=model"), ({"images": 64}, "importance=hessian")):
        with pytest.raises(UserError, match=sentence):
            plugin.load(
                "compression", {"name": "prune", "macs": 0.5, "round_to": 8, **settings, **FINE_TUNING}, "x"
            )


def test_validation_moves_no_range(model: nn.Module) -> None:
    qat().apply(model, EXAMPLE, lessons)
    model.train()(EXAMPLE)
    before = copy.deepcopy(model.state_dict())
    model.eval()(100 * EXAMPLE)
    moved = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert all(name.endswith("observer_enabled") for name in moved)


def card(project: Project, recipe: str) -> dict:
    return json.loads((project.folder / f"models/cnn/{recipe}/model.json").read_text())


def test_the_classes_of_a_convolution_s_head_stay() -> None:
    head = [nn.Conv2d(32, 16, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), *head)
    prune = Prune(name="prune", ratio=0.5, round_to=8, epochs=1, lr=1, distil=0, temperature=1)
    assert prune.apply(model, torch.zeros(2, 3, 8, 8), lessons)
    assert model(torch.zeros(2, 3, 8, 8)).shape == (2, 16) and model[0].out_channels == 16


@pytest.fixture
def chained(project: Project) -> Project:
    project.run("breakeven", "compose", "study=tiny", "compression=[prune50,qat,prune50_qat]")
    return project


@pytest.mark.slow
def test_a_chain_and_a_recipe_take_each_other_s_steps(chained: Project) -> None:
    compress = ("python", "-m", "breakeven.pipeline", "compress", "cnn")
    pruned = card(chained, "prune50")
    done = chained.run(*compress, "prune50_qat")
    assert "prune: taken from" in done.stdout and ".breakeven/store/model" in done.stdout
    assert "qat in" in done.stdout
    both = card(chained, "prune50_qat")
    assert [step["made"] for step in both["details"]["before"]] == ["trained", "prune"]
    assert (both["made"], both["parameters"]) == ("qat", pruned["parameters"])
    # What each step came to, its size among it.
    before, between = both["details"]["before"]
    assert before["megabytes"] > between["megabytes"] == pruned["megabytes"] > 0
    assert between["test_score"] == pruned["test_score"]
    assert both["pruning"] == pruned["pruning"] and both["train_s"] > pruned["train_s"]
    assert both["sha256"] != pruned["sha256"]
    # And the other way round: the recipe finds what is the chain's first step.
    chained.run("rm", "-rf", "models/cnn/prune50")
    assert "prune: taken from" in chained.run(*compress, "prune50").stdout
    assert card(chained, "prune50")["sha256"] == pruned["sha256"]
    assert card(chained, "prune50")["recipe"] == "prune50"


@pytest.mark.slow
def test_a_student_is_narrower_and_can_be_made_again(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "compression=[prune50,student]")
    compress = ("python", "-m", "breakeven.pipeline", "compress", "cnn", "student")
    project.run(*compress)
    made, taught = card(project, "student"), card(project, "none")
    assert made["model"]["width"] == taught["model"]["width"] // 2
    assert made["parameters"] < taught["parameters"] / 2 and made["pruning"] == []
    assert made["details"]["before"][0]["test_score"] == taught["test_score"]
    project.run("rm", "-rf", "models/cnn/student")
    project.run(*compress)
    assert card(project, "student")["sha256"] == made["sha256"]


@pytest.mark.slow
def test_what_cannot_be_pruned_costs_its_rows_and_nothing_else(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "compressions.prune50.round_to=64")
    printed = project.run("dvc", "repro").stdout
    assert "cnn/prune50: unsupported: nothing to prune" in printed
    rows = list(csv.DictReader((project.folder / "results/summary.csv").read_text().splitlines()))
    found = {row["variant"]: (row["verdict"], row["reason"]) for row in rows}
    pruned = {(verdict, reason[:16]) for name, (verdict, reason) in found.items() if "prune" in name}
    assert len(found) == 1 + 2 * 3 and pruned == {("unsupported", "nothing to prune")}
    assert found["none/fp32/onnxruntime"][0] != "unsupported"
    assert "8 of them new" in printed  # the study and its rows: there is no second model
    project.run("breakeven", "compose", "study=tiny")
    compress = ("python", "-m", "breakeven.pipeline", "compress", "cnn", "prune50")
    assert "prune: taken from" in project.run(*compress).stdout


def test_a_model_of_an_earlier_version_is_left_alone(project: Project) -> None:
    old = project.folder / "models/cnn/forgotten"
    old.mkdir()
    (old / "model.json").write_text('{"key": "of then", "made": "otherwise"}')
    done = project.run("python", "-m", "breakeven.pipeline", "compress", "cnn", "prune50")
    assert "prune: taken from" in done.stdout


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("+compressions.c.steps=[]", "compressions.c.steps=[]: list should have at least 1"),
        (
            "+compressions.c.steps=[{name:prun}]",
            "compressions.c.steps.0.name=prun: unknown; did you mean",
        ),
    ],
)
def test_a_wrong_chain_is_refused_before_any_work(override: str, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        schema.validate(yaml.safe_load(compose.compose([override], ROOT / "conf")))
    assert sentence in str(refused.value)
