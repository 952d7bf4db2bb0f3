"""torch.export with strict=True: Dynamo follows the byte code, and has to follow all of it."""

from pathlib import Path

from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _export


class ExportStrict(Way):
    """Raises where Dynamo's graph would break."""

    title = "torch.export, strict=True"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Export the model."""
        graph = _export.program(model, example, any_batch, strict=True).module()
        return Captured(graph, graph)
