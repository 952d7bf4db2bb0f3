"""The work of a model is one number, whatever hooks, modes and gradients are on."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from fakes.sound_models import ByKeyword, Queried, SilentTrain
from torch import Tensor, nn

from breakeven.artifacts.model_manifest import ImageInput, TextInput
from breakeven.artifacts.model_size import count_work, flops
from breakeven.plugins.models.cnn import cnn

SHAPE = ImageInput(1, 8, 8, 10)


class Encoder(nn.Module):
    """Torch's own encoder, which has a fused path."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 32, 4, stride=4)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.encoder(tokens).mean(1))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Nothing but attention of 64 tokens of 16 numbers."""

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.reshape(len(x), 1, 64, 16)
        return F.scaled_dot_product_attention(tokens, tokens, tokens)


class Recurrent(nn.Module):
    """A recurrent layer, which has a fused path on a processor."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(8, 16, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x[:, 0])[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("build", "shape", "macs"),
    [
        (Encoder, SHAPE, 69_952),
        (Attention, ImageInput(1, 32, 32, 10), 2 * 64 * 64 * 16),
        (Recurrent, SHAPE, 8 * 4 * 16 * (8 + 16)),
        (ByKeyword, SHAPE, 64 * 9 * 8 + 8 * 2),
        (SilentTrain, SHAPE, 64 * 9 * 8 + 8 * 2),
        (lambda: Queried(1, 2), SHAPE, 64 * 9 * 8 + 2 * 64 * 8 + 8 * 2),
    ],
    ids=["encoder", "attention", "recurrent", "keyword", "silent train", "parameter given to a layer"],
)
@pytest.mark.parametrize("context", [nullcontext, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("training", [True, False])
def test_work_is_one_number(
    build: Callable[[], nn.Module],
    shape: ImageInput,
    macs: int,
    context: Callable[[], object],
    training: bool,
) -> None:
    model = build()
    model.train(training)
    for layer in model.modules():
        layer.register_forward_hook(lambda layer, inputs, output: None)
    with context():  # type: ignore[attr-defined]
        assert count_work(model, shape).macs == macs
        assert flops(model, shape.example()) == 2 * macs
        assert flops(model, shape.example(3)) == 6 * macs
    assert model.training is training


def test_counting_leaves_the_modes_of_all_modules_alone() -> None:
    model = cnn(1, 10, 8, 1).train()
    frozen = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d)).eval()
    count_work(model, SHAPE)
    assert model.training and not frozen.training


def test_a_model_on_large_maps_uses_all_its_weights() -> None:
    model = nn.Conv2d(1, 4, 3, padding=1)
    size = count_work(model, ImageInput(1, 28, 28, 10))
    assert (size.parameters, size.used_weights) == (40, 40)
    assert size.macs == 4 * 9 * 28 * 28
    assert (
        size.used_macs == 4 * (3 * 28 - 2) ** 2
    )  # in each dimension the first and the last meet padding once


@pytest.mark.parametrize(
    ("layer", "side", "weights", "macs"),
    [
        (nn.Conv2d(1, 4, 3, padding=1, bias=False), 1, 4, 4),
        (nn.Conv2d(1, 4, 3, padding=1, bias=False), 2, 36, 4 * 16),
        (nn.Conv2d(1, 4, 3, padding=2, dilation=2, bias=False), 2, 4, 4 * 4),
        (nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), 1, 4, 4),
        (nn.Conv2d(1, 4, 3, padding=1, padding_mode="replicate", bias=False), 1, 36, 36),
        (nn.Conv2d(1, 4, 3, padding="same", bias=False), 1, 4, 4),
        (nn.ConvTranspose2d(1, 4, 3, padding=1, bias=False), 1, 4, 4),
    ],
    ids=str,
)
def test_what_only_meets_zero_padding_is_not_used(
    layer: nn.Module, side: int, weights: int, macs: int
) -> None:
    size = count_work(layer, ImageInput(1, side, side, 10))
    assert (size.used_weights, size.used_macs) == (weights, macs)


def test_a_kernel_that_is_used_twice_is_read_where_either_call_meets_an_input() -> None:
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    model = nn.Sequential(layer, nn.MaxPool2d(2), layer)
    assert count_work(model, ImageInput(1, 2, 2, 10)).used_weights == 9


def test_a_table_of_embeddings_and_an_unused_layer_are_not_read() -> None:
    model = nn.Sequential(nn.Embedding(1000, 16), nn.Flatten(), nn.Linear(12 * 16, 2))
    model[0].unused = nn.Linear(100, 100)
    size = count_work(model, TextInput(12, 1000, 2))
    assert size.parameters == 16_000 + 10_100 + 386
    assert size.used_weights == 386
