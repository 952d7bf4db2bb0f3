"""torch.jit.trace: run the code once with the example, and record the operations."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way


class JitTrace(Way):
    """Records one run: conditions, loops and numbers in Python become constants."""

    title = "torch.jit.trace"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Trace the model, as its documentation shows it: with its own check on."""
        with torch.no_grad():
            trace: Any = torch.jit.trace
            if example.kwargs:
                graph = trace(model, example_kwarg_inputs=example.by_name(model))
            else:
                graph = trace(model, example.args)
        return Captured(graph, graph)
