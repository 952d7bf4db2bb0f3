"""From the uint8 images that people have to the normalized floats that a network wants, and to logits."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Preprocess(nn.Module):
    """uint8 (N, C, H, W) in 0..255 -> float32, scaled to 0..1 and normalized a channel."""

    scale: Tensor  # (1, C, 1, 1)
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        # x * scale + shift: one multiplication and one addition instead of three operations.
        self.register_buffer("scale", 1 / (255 * torch.tensor(std, dtype=torch.float32)).view(1, -1, 1, 1))
        self.register_buffer("shift", -(torch.tensor(mean) / torch.tensor(std)).float().view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Normalize."""
        return images.float() * self.scale + self.shift


def normalize(images: NDArray[np.generic], mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """What a network is given: images normalized, or tokens, which have no mean, as they are."""
    inputs = torch.from_numpy(images)
    normalized: Tensor = Preprocess(mean, std)(inputs) if mean else inputs
    return normalized


def layout(model: nn.Module, inputs: Tensor) -> torch.memory_format:
    """Channels-last, which is faster, unless the model's own code cannot take it (`x.view(...)`).

    Args:
        inputs: some, (N, C, H, W).
    """
    form = torch.channels_last
    try:
        with torch.no_grad():  # a copy: observers of quantization watch whatever passes
            copy.deepcopy(model).to(memory_format=form).eval()(inputs.clone(memory_format=form))
    except Exception:  # what is wrong in any layout will be told
        return torch.contiguous_format
    return form


def predictor(
    model: nn.Module, mean: Sequence[float], std: Sequence[float]
) -> Callable[[NDArray[np.generic]], NDArray[np.float32]]:
    """A function from (N, C, H, W) uint8 images to (N, classes) float32 logits, in evaluation mode.

    Without a mean, from (N, L) tokens.
    """
    preprocess = Preprocess(mean, std) if mean else None
    model = model.eval()
    form: torch.memory_format | None = None

    def predict(images: NDArray[np.generic]) -> NDArray[np.float32]:
        nonlocal form
        with torch.inference_mode():
            inputs = torch.from_numpy(images)
            if preprocess:
                inputs = preprocess(inputs)
                form = form or layout(model, inputs[:2])
                inputs = inputs.clone(memory_format=form)  # of a single channel, what is contiguous is both
            logits: NDArray[np.float32] = model(inputs).float().numpy()
        return logits

    return predict
