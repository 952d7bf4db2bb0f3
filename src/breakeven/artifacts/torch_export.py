"""Graphs of models, which compilers and toolchains take instead of Python code."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from breakeven.artifacts.tensors import Tensors, separate
from breakeven.artifacts.varying import VaryingDimension
from breakeven.core.toolchain_errors import refusal


def dynamic_shapes(
    model: nn.Module, given: Sequence[Tensor], batch: Any, varying: Sequence[VaryingDimension]
) -> tuple[Any, ...]:
    """Return the dynamic shapes of a model's inputs, as torch.export wants them.

    Inputs that `forward(*inputs)` collects are one tuple there.

    Args:
        batch: torch's name of the first dimension; None if it is fixed.
    """
    kinds = [parameter.kind for parameter in inspect.signature(model.forward).parameters.values()]
    shapes: list[Any] = [{} if batch is None else {0: batch} for _ in given]
    for one in varying:
        size = _size(one)
        for number, axis in one.axes:
            shapes[number][axis + 1] = size
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return tuple(shapes)
    named = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*shapes[:named], tuple(shapes[named:]))


def _size(dimension: VaryingDimension) -> Any:
    """Return torch's name of a dimension, which has a multiple of a number in steps."""
    step = dimension.step
    number = torch.export.Dim(
        dimension.name if step == 1 else f"{dimension.name}__steps",
        min=dimension.least // step,
        max=dimension.most // step,
    )
    return number if step == 1 else step * number


def export_program(
    model: nn.Module,
    example: Tensors,
    varying: Sequence[VaryingDimension] = (),
    most: int | None = None,
    strict: bool = False,
) -> ExportedProgram:
    """Return the graph of `model`, for batches of any size or of at most `most` samples.

    Args:
        model: the model to export.
        example: two samples at least. torch.export would treat a batch of 1 as a constant.
        varying: the other dimensions that may have any of some sizes.
        most: the largest batch; None for no limit. 1 exports a graph for single samples only.
        strict: whether to follow the model's bytecode, which tells two calls of one layer apart.

    Raises:
        Unsupported: torch.export cannot follow the model's code.
    """
    given = separate(example)
    batch = None if most == 1 else torch.export.Dim("batch", min=1, max=most)
    shapes = dynamic_shapes(model, given, batch, varying)
    with refusal("torch.export cannot take this model"), torch.enable_grad():
        # Without gradients, torch chooses a convolution by the batch size, and then limits the batch size.
        return torch.export.export(
            model,
            tuple(tensor[:1] for tensor in given) if most == 1 else given,
            dynamic_shapes=shapes,
            strict=strict,
        )
