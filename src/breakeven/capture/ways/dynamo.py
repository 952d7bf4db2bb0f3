"""Dynamo: follow the byte code of each call, and leave to Python what it cannot follow."""

from pathlib import Path

from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _dynamo


class Dynamo(Way):
    """torch.compile's own capture: several graphs, with Python between them."""

    title = "Dynamo (torch.compile)"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Compile with a backend that only counts; the first call does the work."""
        return _dynamo.compiled(model, full_graph=False)
