"""Quantization-aware training: the fine-tuning computes with int8's roundings; the weights stay float32."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from breakeven.plugins.compression.base import Compression, TrainingBatches

if TYPE_CHECKING:
    from torch import Tensor, nn

ROUNDING = "input_rounding"  # the submodule that a layer has while it is trained
LARGEST = 127  # of a weight in int8; -128 is left out, so that zero is in the middle


class Qat(Compression):
    """Weights per channel, inputs of convolutions and linear layers per tensor, as static toolchains do it.

    Batch normalization may follow a convolution: folding it scales whole channels, and their grids with them.
    Range and rounding of inputs are one operator: as several, they took half of a step, and more on a GPU.
    """

    def apply(self, model: "nn.Module", example: "Tensor", lessons: TrainingBatches) -> list[Any]:
        """Put the roundings in; the structure stays."""
        from torch.nn.utils import parametrize

        for layer in _layers(model):
            parametrize.register_parametrization(layer, "weight", _weight_rounding())
            rounding: Any = _input_rounding()
            rounding.hook = layer.register_forward_pre_hook(_round_input)
            layer.add_module(ROUNDING, rounding)
        return []

    def finish(self, model: "nn.Module") -> None:
        """Take them out again."""
        from torch.nn.utils import parametrize

        for layer in _layers(model):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
            getattr(layer, ROUNDING).hook.remove()
            delattr(layer, ROUNDING)


def _layers(model: "nn.Module") -> list["nn.Module"]:
    from torch import nn

    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def _weight_rounding() -> "nn.Module":
    """In a channel's range as it is now: that of an average of weights is another."""
    import torch
    from torch import nn

    class WeightRounding(nn.Module):
        def forward(self, weight: "Tensor") -> "Tensor":
            largest = weight.detach().abs().amax(dim=tuple(range(1, weight.ndim)))
            scale = (largest / LARGEST).clamp_min(torch.finfo(weight.dtype).eps)
            zero = torch.zeros_like(scale, dtype=torch.int32)
            rounded: Tensor = torch.fake_quantize_per_channel_affine(
                weight, scale, zero, axis=0, quant_min=-LARGEST, quant_max=LARGEST
            )
            return rounded

    return WeightRounding()


def _input_rounding() -> "nn.Module":
    import torch

    with _deprecated():
        from torch.ao.quantization import FusedMovingAvgObsFakeQuantize, MovingAverageMinMaxObserver

        rounding = FusedMovingAvgObsFakeQuantize(
            MovingAverageMinMaxObserver,
            quant_min=0,
            quant_max=255,
            dtype=torch.quint8,
            qscheme=torch.per_tensor_affine,
        )
    rounding.disable_fake_quant()  # until it has seen a range
    return rounding


def _round_input(layer: "nn.Module", inputs: tuple["Tensor"]) -> tuple["Tensor"]:
    """A function of the layer alone, so that a copy of the model rounds by its own ranges."""
    rounding = getattr(layer, ROUNDING)
    rounding.enable_observer(layer.training)  # validation must not move the ranges
    if layer.training:
        rounding.enable_fake_quant()
    return (rounding(inputs[0].float()).to(inputs[0].dtype),)


@contextmanager
def _deprecated() -> Iterator[None]:
    """torch.ao is deprecated for torchao, which has these for exported graphs only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
