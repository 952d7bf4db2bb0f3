"""Graphs of models, which compilers and toolchains take instead of Python code."""

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from breakeven.core.toolchain_errors import refusal


def export_program(
    model: nn.Module, example: Tensor, most: int | None = None, strict: bool = False
) -> ExportedProgram:
    """Return the graph of `model`, for batches of any size or of at most `most` images.

    Args:
        model: the model to export.
        example: (N, C, H, W), with N at least 2. torch.export would treat a batch of 1 as a constant.
        most: the largest batch; None for no limit. 1 exports a graph for single images only.
        strict: whether to follow the model's bytecode, which tells two calls of one layer apart.

    Raises:
        Unsupported: torch.export cannot follow the model's code.
    """
    shapes = None if most == 1 else ({0: torch.export.Dim("batch", min=1, max=most)},)
    with refusal("torch.export cannot take this model"), torch.enable_grad():
        # Without gradients, torch chooses a convolution by the batch size, and then limits the batch size.
        return torch.export.export(
            model, (example[:1] if most == 1 else example,), dynamic_shapes=shapes, strict=strict
        )
