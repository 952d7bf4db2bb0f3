"""Inputs or outputs of a model: one tensor, or several: inputs are in the order of the model's arguments."""

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from breakeven.artifacts.records import fields_of, outputs_of

Tensors = Tensor | tuple[Tensor, ...]


def to_tensors(samples: NDArray[Any]) -> Tensors:
    """Return the tensor of an array, or a tensor for each field of records."""
    tensors = tuple(map(torch.from_numpy, fields_of(samples)))
    return tensors if len(tensors) > 1 else tensors[0]


def to_array(outputs: Tensors) -> NDArray[Any]:
    """Return a model's outputs as an array of float32, or as records, (N,), if there are several."""
    tensors = (tensor.detach().cpu() for tensor in separate(outputs))
    return outputs_of([(one.float() if one.is_floating_point() else one).numpy() for one in tensors])


def separate(tensors: Tensors) -> tuple[Tensor, ...]:
    """Return each tensor, as a call of a model takes it."""
    return tuple(tensors) if isinstance(tensors, tuple | list) else (tensors,)


def call(model: nn.Module, inputs: Tensors) -> Any:
    """Return what the model gives for its inputs."""
    return model(*separate(inputs))


def each(function: Callable[[Tensor], Tensor], tensors: Tensors) -> Tensors:
    """Return the tensors with a function applied to each."""
    return tuple(map(function, tensors)) if isinstance(tensors, tuple | list) else function(tensors)


def laid_out(inputs: Tensors, form: torch.memory_format) -> Tensors:
    """Return clones whose images have a memory layout.

    They are clones because images of one channel count as contiguous in both layouts.
    """
    return each(
        lambda tensor: tensor.clone(memory_format=form) if tensor.ndim == 4 else tensor.clone(), inputs
    )


def count(inputs: Tensors) -> int:
    """Return the number of samples."""
    return len(separate(inputs)[0])


def same(one: Tensors, other: Tensors) -> bool:
    """Return whether both hold the same numbers."""
    return all(torch.equal(*pair) for pair in zip(separate(one), separate(other), strict=True))


def sizes(inputs: Tensors) -> str:
    """Return the shapes of the inputs, for messages."""
    return " and ".join(str(tuple(tensor.shape)) for tensor in separate(inputs))
