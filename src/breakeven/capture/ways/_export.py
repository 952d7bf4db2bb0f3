"""torch.export, for a batch of any size where the model takes one."""

from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from breakeven.capture.example import Example


def program(
    model: nn.Module, example: Example, any_batch: bool, *, strict: bool, most: int | None = None
) -> ExportedProgram:
    """Return the exported program.

    Args:
        most: the largest batch; None for no limit.
    """
    shapes: Any = None
    if any_batch:
        mark = torch.export.Dim.AUTO(max=most) if most else torch.export.Dim.AUTO
        shapes = Example(*example.shapes(mark)).by_name(model)
    with torch.no_grad():
        return torch.export.export(
            model, example.args, dict(example.kwargs), dynamic_shapes=shapes, strict=strict
        )
