"""A model as a graph: what compilers and toolchains take instead of Python code."""

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from breakeven.core.errors import Unsupported


def export_program(
    model: nn.Module, example: Tensor, most: int | None = None, strict: bool = False
) -> ExportedProgram:
    """The graph of `model`, for any number of images, or for up to `most`.

    Args:
        example: (N, C, H, W), N at least 2: a single image would be taken for a constant, as it is if that
            is the most.
        strict: by following the model's bytecode, which tells two calls of one layer apart.

    Raises:
        Unsupported: torch.export cannot follow the model's code.
    """
    shapes = None if most == 1 else ({0: torch.export.Dim("batch", min=1, max=most)},)
    try:
        # Without gradients torch chooses a convolution by the size of the batch, and bounds it by that.
        with torch.enable_grad():
            return torch.export.export(
                model, (example[:1] if most == 1 else example,), dynamic_shapes=shapes, strict=strict
            )
    except (RuntimeError, ValueError) as error:  # Dynamo's are RuntimeErrors
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
        raise Unsupported(f"torch.export cannot take this model: {reason[:200]}") from None
