"""Quantization-aware training (Jacob et al., arXiv:1712.05877, 2018): fine-tuning with int8's rounding.

The weights stay float32. It needs torch only.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from breakeven.core.errors import Unsupported
from breakeven.plugins.compression.base import Compression, TrainingBatches

if TYPE_CHECKING:
    from torch import Tensor, nn

    from breakeven.artifacts.tensors import Tensors

ROUNDING_SUBMODULE = "input_rounding"  # a layer's submodule while it is trained
LARGEST_INT8 = 127  # of a weight; -128 is not used, so that zero is in the middle


class Qat(Compression):
    """Rounds weights per channel, and inputs of convolutions and linear layers per tensor.

    Static toolchains do the same.

    Batch normalization may follow a convolution: folding scales a whole channel together with its grid.
    One operator both observes and rounds inputs. Several operators took half of a training step, and more on
    a GPU.
    """

    def apply(self, model: "nn.Module", example: "Tensors", lessons: TrainingBatches) -> list[Any]:
        """Add rounding to every convolution and linear layer; return no steps, since the structure stays.

        Raises:
            Unsupported: a layer's weight is not a parameter.
        """
        from torch.nn.utils import parametrize

        layers = _layers(model)
        _require_parameters(layers)
        for layer in layers.values():
            parametrize.register_parametrization(layer, "weight", _weight_rounding())
            rounding: Any = _input_rounding()
            rounding.hook = layer.register_forward_pre_hook(_round_input, with_kwargs=True)
            layer.add_module(ROUNDING_SUBMODULE, rounding)
        return []

    def finish(self, model: "nn.Module") -> None:
        """Remove the rounding; the model's own parametrizations stay."""
        from torch.nn.utils import parametrize

        for layer in [layer for layer in model.modules() if hasattr(layer, ROUNDING_SUBMODULE)]:
            steps: Any = layer.parametrizations
            if len(steps.weight) > 1:
                del steps.weight[-1]  # the model's own parametrizations were there before
            else:
                parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
            getattr(layer, ROUNDING_SUBMODULE).hook.remove()
            delattr(layer, ROUNDING_SUBMODULE)


def _layers(model: "nn.Module") -> dict[str, "nn.Module"]:
    from torch import nn

    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}


def _require_parameters(layers: Mapping[str, "nn.Module"]) -> None:
    """Refuse layers whose weight a hook computes before each call, which a rounding would not reach.

    Raises:
        Unsupported: it names the first such layer.
    """
    from torch import nn
    from torch.nn.utils import parametrize

    for name, layer in layers.items():
        weight = layer.weight
        if not (isinstance(weight, nn.Parameter) or parametrize.is_parametrized(layer, "weight")):
            raise Unsupported(
                f"the weight of {name} is computed by a hook, as torch.nn.utils.weight_norm does: use "
                f"torch.nn.utils.parametrizations instead"
            )


def _weight_rounding() -> "nn.Module":
    """Return a parametrization that rounds in each channel's present range, not in an averaged one."""
    import torch
    from torch import nn

    class WeightRounding(nn.Module):
        def forward(self, weight: "Tensor") -> "Tensor":
            largest = weight.detach().abs().amax(dim=tuple(range(1, weight.ndim)))
            scale = (largest / LARGEST_INT8).clamp_min(torch.finfo(weight.dtype).eps)
            zero = torch.zeros_like(scale, dtype=torch.int32)
            rounded: Tensor = torch.fake_quantize_per_channel_affine(
                weight, scale, zero, axis=0, quant_min=-LARGEST_INT8, quant_max=LARGEST_INT8
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


def _round_input(
    layer: "nn.Module", inputs: tuple["Tensor", ...], named: dict[str, "Tensor"]
) -> tuple[tuple["Tensor", ...], dict[str, "Tensor"]]:
    """Round the layer's input, given by position or by keyword.

    It reads the layer only, so that a copy of the model uses its own ranges.
    """
    rounding = getattr(layer, ROUNDING_SUBMODULE)
    rounding.enable_observer(layer.training)  # validation must not move the ranges
    if layer.training:
        rounding.enable_fake_quant()

    def rounded(value: "Tensor") -> "Tensor":
        found: Tensor = rounding(value.float()).to(value.dtype)
        return found

    if inputs:
        return (rounded(inputs[0]), *inputs[1:]), named
    first, *_ = named  # a layer of the user's own may call it otherwise than `input`
    return (), {**named, first: rounded(named[first])}


@contextmanager
def _deprecated() -> Iterator[None]:
    """Silence torch.ao's deprecation: its successor torchao rounds exported graphs only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
