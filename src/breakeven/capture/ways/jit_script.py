"""torch.jit.script: compile the source code."""

from pathlib import Path

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way


class JitScript(Way):
    """Keeps conditions and loops; refuses Python that TorchScript does not know."""

    title = "torch.jit.script"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Script the model."""
        graph = torch.jit.script(model)
        return Captured(graph, graph)
