"""The way from a dataset's inputs to the normalized floats that a network takes, and to its outputs."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from breakeven.artifacts.module_modes import evaluated


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


def normalize(images: NDArray[np.generic], mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return the inputs of a network: normalized ones, or unchanged tokens, for which `mean` is empty."""
    inputs = torch.from_numpy(images)
    normalized: Tensor = Preprocess(mean, std, inputs.ndim)(inputs) if mean else inputs
    return normalized


def layout(model: nn.Module, inputs: Tensor) -> torch.memory_format:
    """Return the memory layout for a model's inputs: channels-last, or contiguous.

    Channels-last is faster, but the code of some models cannot take it (`x.view(...)`).

    Args:
        model: the model, which is not changed.
        inputs: a few inputs to try, (N, C, H, W).
    """
    form = torch.channels_last
    try:
        with torch.no_grad():  # a copy, because observers of quantization would count these inputs
            tried = evaluated(copy.deepcopy(model)).to(memory_format=form)
            tried(inputs.clone(memory_format=form))
    except Exception:  # an error in any layout will be raised by the caller's own call
        return torch.contiguous_format
    return form


def predictor(
    model: nn.Module, mean: Sequence[float], std: Sequence[float]
) -> Callable[[NDArray[np.generic]], NDArray[np.float32]]:
    """Return a function from a dataset's inputs to the model's outputs, (N, ...) float32.

    If `mean` is empty, the function takes (N, L) tokens. The model is set to evaluation mode.
    """
    model.eval()
    form: torch.memory_format | None = None

    def predict(images: NDArray[np.generic]) -> NDArray[np.float32]:
        nonlocal form
        with torch.inference_mode():
            inputs = normalize(images, mean, std)
            if mean:
                form = form or layout(model, inputs[:2])
                # `contiguous` would not change one channel, which counts as contiguous in both layouts.
                inputs = inputs.clone(memory_format=form)
            logits: NDArray[np.float32] = model(inputs).float().numpy()
        return logits

    return predict
