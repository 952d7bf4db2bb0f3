"""The way from a dataset's inputs to the normalized floats that a network takes, and to its outputs."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from breakeven.artifacts.module_modes import evaluated
from breakeven.artifacts.tensors import Tensors, call, each, laid_out, to_array, to_tensors


class Preprocess(nn.Module):
    """A layer from uint8 images (N, C, H, W), or features (N, F), to normalized float32."""

    scale: Tensor  # (1, C, 1, 1) or (1, F)
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], dimensions: int = 4) -> None:
        """Normalize with the mean and the standard deviation of each channel, or of each feature.

        Args:
            mean: in units of 0..1 of images, whose pixels are scaled so; of features in their own units.
            std: likewise.
            dimensions: of a batch: 4 of images, 2 of features.
        """
        super().__init__()
        shape = (1, -1, *[1] * (dimensions - 2))
        unit = 255 if dimensions == 4 else 1
        # x * scale + shift: one multiplication and one addition instead of three operations.
        self.register_buffer("scale", 1 / (unit * torch.tensor(std, dtype=torch.float32)).view(shape))
        self.register_buffer("shift", -(torch.tensor(mean) / torch.tensor(std)).float().view(shape))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the normalized inputs."""
        return inputs.float() * self.scale + self.shift


def normalize(images: NDArray[Any], mean: Sequence[float], std: Sequence[float]) -> Tensors:
    """Return the inputs of a network: normalized ones, or unchanged ones if `mean` is empty."""
    inputs = to_tensors(images)
    return Preprocess(mean, std, inputs.ndim)(inputs) if mean and isinstance(inputs, Tensor) else inputs


def layout(model: nn.Module, inputs: Tensors) -> torch.memory_format:
    """Return the memory layout for a model's inputs: channels-last, or contiguous.

    Channels-last is faster, but the code of some models cannot take it (`x.view(...)`).

    Args:
        model: the model, which is not changed.
        inputs: a few inputs to try; the layout is for images, (N, C, H, W).
    """
    form = torch.channels_last
    try:
        with torch.no_grad():  # a copy, because observers of quantization would count these inputs
            tried = evaluated(copy.deepcopy(model)).to(memory_format=form)
            call(tried, laid_out(inputs, form))
    except Exception:  # an error in any layout will be raised by the caller's own call
        return torch.contiguous_format
    return form


def predictor(
    model: nn.Module, mean: Sequence[float], std: Sequence[float]
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function from a dataset's inputs to the model's outputs: (N, ...) float32, or records, (N,).

    If `mean` is empty, the inputs are taken as they are. The model is set to evaluation mode.
    """
    model.eval()
    form: torch.memory_format | None = None

    def predict(images: NDArray[Any]) -> NDArray[Any]:
        nonlocal form
        with torch.inference_mode():
            inputs = normalize(images, mean, std)
            form = form or layout(model, each(lambda tensor: tensor[:2], inputs))
            return to_array(call(model, laid_out(inputs, form)))

    return predict
