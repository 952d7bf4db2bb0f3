"""torch.export with strict=False, its default since torch 2.6: Python runs the code with fake tensors."""

from pathlib import Path

from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _export


class ExportNonstrict(Way):
    """Records one run with fake tensors; conditions on their values raise."""

    title = "torch.export, strict=False"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Export the model."""
        graph = _export.program(model, example, any_batch, strict=False).module()
        return Captured(graph, graph)
