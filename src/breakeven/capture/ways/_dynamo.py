"""Dynamo with a backend that only counts its graphs."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch._dynamo.utils import counters

from breakeven.capture.source_lines import source_lines
from breakeven.capture.way import Break, Captured


def compiled(model: nn.Module, full_graph: bool) -> Captured:
    """Return the model behind `torch.compile`, of which nothing is compiled before the first call."""
    torch._dynamo.reset()
    counters.clear()
    graphs = []

    def count(graph: torch.fx.GraphModule, inputs: Sequence[Any]) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward

    run = torch.compile(model, backend=count, fullgraph=full_graph)
    first: list[int] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        output = run(*args, **kwargs)
        first.append(len(graphs))  # later calls may compile other branches
        return output

    return Captured(call, model, graphs=lambda: first[0] if first else 0, breaks=_breaks)


def _breaks() -> list[Break]:
    told = [*counters["graph_break"], *counters["unimplemented"]]
    return [Break(str(text).splitlines()[0].strip(), next(source_lines(str(text)), "")) for text in told]
