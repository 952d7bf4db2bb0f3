"""The check that a model takes inputs of every size that its settings promise."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.artifacts.preprocess import normalize
from breakeven.artifacts.tensors import call
from breakeven.artifacts.tensors import sizes as shapes
from breakeven.artifacts.varying import dimensions_of, extremes, resize, words
from breakeven.core.errors import UserError

TRIED = 2  # samples that are given in every extreme size


def require_sizes(model: nn.Module, images: NDArray[Any], card: ModelManifest, place: str) -> None:
    """Refuse a model that cannot take inputs of every smallest and largest size.

    Args:
        model: in evaluation mode.
        images: samples of the dataset, (N, ...), or records of several inputs.
        card: its manifest, which names the sizes.
        place: the dotted key of the sizes.

    Raises:
        UserError: it names the sizes, and the model's own message.
    """
    varying = dimensions_of(card)
    for sizes in extremes(varying):
        inputs = normalize(resize(images[:TRIED], varying, sizes), card.mean, card.std)
        try:
            with torch.inference_mode():
                call(model, inputs)
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise UserError(
                f"{place}: the model cannot take inputs of {words(sizes)}, {shapes(inputs)} ({first}): "
                f"name every input that has this dimension in `inputs`, set `step` where sizes have to be "
                f"multiples, narrow them, or let the model take any, for example by pooling before its last "
                f"layer."
            ) from None
