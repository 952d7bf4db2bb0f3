"""Every runtime on ResNet-18, on a model that nobody tuned for, and on one that most cannot take."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from test_artifacts import CANNOT, RUNTIMES, draft
from torch import Tensor, nn

from breakeven import making, modelfile, option
from breakeven.card import Card, Shape, read_card
from breakeven.data.base import Images
from breakeven.making import Maker, Reference, Tolerance

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MODELS = {
    "resnet18": ({"_target_": "breakeven.model.resnet18.resnet18"}, 32),
    "mobilenet_v3_small": (
        {"_target_": "torchvision.models.mobilenet_v3_small", "_inputs_": {"num_classes": "classes"}},
        64,
    ),
    "branching": ({"_target_": "test_every_model.Branching"}, 32),
}


class Branching(nn.Module):
    """Takes one of two ways by what it sees."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.one, self.other = (nn.Linear(in_channels, num_classes) for _ in range(2))

    def forward(self, images: Tensor) -> Tensor:
        means = images.mean((2, 3))
        return self.one(means) if means.sum() > 0 else -self.other(means)


@pytest.fixture(scope="module", params=MODELS)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, and statistics as a trained one has them."""
    spec, side = MODELS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    shape = Shape(3, side, side, 10)
    torch.manual_seed(0)
    model = modelfile.build(spec, shape)
    with torch.no_grad():
        for _ in range(20):
            model.train()(torch.randn(16, 3, side, side))
    facts = {"family": "cnn", "recipe": "none", "title": "", "model": spec, "shape": shape}
    facts |= {
        "mean": [0.5] * 3,
        "std": [0.3] * 3,
        "parameters": 1,
        "macs": 1,
        "activations": 1,
        "key": "",
        "made": "",
    }
    card = Card(**facts, val_accuracy=0.0, test_accuracy=0.0, train_s=0.0)
    modelfile.save(folder, model.eval(), card)
    return folder


@pytest.fixture(scope="module")
def maker(family: Path) -> Iterator[Maker]:
    side = read_card(family).shape.height
    pixels = np.random.default_rng(0).integers(0, 256, (64, 3, side, side), np.uint8)
    images = Images(pixels, np.zeros(64, np.int64))
    with making.maker(images, Tolerance(1e-3, 0.5), 180) as made:
        yield made


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_gives_eagers_logits_or_says_why_not(
    maker: Maker, family: Path, name: str, tmp_path: Path
) -> None:
    reference = Reference(family, maker.test, "outside")
    runtime = option.load("runtime", RUNTIMES[name], name)
    made = maker.make(tmp_path, draft(reference, name), runtime.export, reference)
    if "branching" in family.name:
        # What a trace freezes is one of the two ways, which the comparison finds.
        assert made.status in ("ok", "unsupported", "failed")
        assert made.status == "ok" or made.reason
        assert made.relative_error is None or made.status == "failed" or made.relative_error < 1e-3
        return
    if made.status == "unsupported":
        assert any(reason in made.reason for reason in CANNOT), made.reason
        return
    assert (made.status, made.reason) == ("ok", "")
    assert made.relative_error is not None
    assert made.relative_error < (1e-4 if made.precision == "fp32" else 0.05)
