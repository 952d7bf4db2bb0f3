"""torch.fx: run the code once, with stand-ins for the tensors."""

from pathlib import Path

import torch.fx
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way


class FxTrace(Way):
    """Records what happens to the stand-ins; conditions on them raise."""

    title = "torch.fx.symbolic_trace"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Trace the model."""
        graph = torch.fx.symbolic_trace(model)
        return Captured(graph, graph)
