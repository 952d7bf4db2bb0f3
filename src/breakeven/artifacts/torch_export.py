"""Graphs of models, which compilers and toolchains take instead of Python code."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from breakeven.artifacts.tensors import Tensors, separate
from breakeven.core.toolchain_errors import refusal


def batch_dimensions(model: nn.Module, given: Sequence[Tensor], batch: Any) -> tuple[Any, ...]:
    """Return the dynamic shapes of a model's inputs, whose first dimension is `batch`, as torch.export wants.

    Inputs that `forward(*inputs)` collects are one tuple there.
    """
    kinds = [parameter.kind for parameter in inspect.signature(model.forward).parameters.values()]
    shapes: list[Any] = [{0: batch} for _ in given]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return tuple(shapes)
    named = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*shapes[:named], tuple(shapes[named:]))


def export_program(
    model: nn.Module, example: Tensors, most: int | None = None, strict: bool = False
) -> ExportedProgram:
    """Return the graph of `model`, for batches of any size or of at most `most` samples.

    Args:
        model: the model to export.
        example: two samples at least. torch.export would treat a batch of 1 as a constant.
        most: the largest batch; None for no limit. 1 exports a graph for single samples only.
        strict: whether to follow the model's bytecode, which tells two calls of one layer apart.

    Raises:
        Unsupported: torch.export cannot follow the model's code.
    """
    given = separate(example)
    shapes = None
    if most != 1:
        batch = torch.export.Dim("batch", min=1, max=most)
        shapes = batch_dimensions(model, given, batch)
    with refusal("torch.export cannot take this model"), torch.enable_grad():
        # Without gradients, torch chooses a convolution by the batch size, and then limits the batch size.
        return torch.export.export(
            model,
            tuple(tensor[:1] for tensor in given) if most == 1 else given,
            dynamic_shapes=shapes,
            strict=strict,
        )
