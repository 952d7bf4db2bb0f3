"""Dynamo, which has to capture the whole model as one graph."""

from pathlib import Path

from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _dynamo


class DynamoFullGraph(Way):
    """Raises where a graph would break."""

    title = "Dynamo, fullgraph=True"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Compile with a backend that only counts; the first call does the work."""
        return _dynamo.compiled(model, full_graph=True)
