"""TorchScript's passes, on a trace. They run at the load: no file holds weights in oneDNN's layout."""

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.core.errors import Unsupported
from breakeven.core.toolchain_errors import refusal
from breakeven.diagnosis.ladder import Ladder, Step
from breakeven.results.ladder_record import Rung

FILE = "trace.ts"
WARM_UP = 3  # calls after which the profiling executor has made its graph


class TorchScript(Ladder):
    """From a trace to `optimize_for_inference`, and the fusion of pointwise operators where it exists."""

    title = "TorchScript"
    rungs = (
        Rung("trace", "the graph as it was traced"),
        Rung("clean", "inline calls; remove dead code and common parts; fold constants; peephole", "trace"),
        Rung("freeze", "weights and settings are constants of the graph", "clean"),
        Rung("fold", "batch normalizations are folded into convolutions", "freeze"),
        Rung("onednn", "weights lie as oneDNN wants them, and it runs the convolutions", "fold"),
        Rung("inference", "optimize_for_inference, which does all of it", "fold"),
        Rung("fuse", "pointwise operators are compiled together (NNC)", "fold"),
    )

    def prepare(self, model: nn.Module, inputs: tuple[Tensor, ...], folder: Path) -> None:
        """Trace the model."""
        with torch.no_grad(), _quiet(), refusal("TorchScript cannot trace this model"):
            trace: Any = torch.jit.trace
            torch.jit.save(trace(model.eval(), inputs), folder / FILE)

    def step(self, rung: str, inputs: tuple[Tensor, ...], folder: Path) -> Step:
        """Load the trace, and apply the passes up to this rung."""
        with torch.no_grad(), _quiet():
            load: Any = torch.jit.load
            module = load(folder / FILE).eval()
            for name in self.below(rung):
                module = getattr(self, f"_{name}")(module)
            for _ in range(WARM_UP):
                module(*inputs)
        jit: Any = torch.jit
        graph = jit.last_executed_optimized_graph() if rung == "fuse" else module.inlined_graph
        return Step(module, str(graph), Counter(node.kind() for node in _nodes(graph)))

    def _trace(self, module: Any) -> Any:
        return module

    def _clean(self, module: Any) -> Any:
        clean(module.graph)
        return module

    def _freeze(self, module: Any) -> Any:
        return torch.jit.freeze(module, optimize_numerics=False)

    def _fold(self, module: Any) -> Any:
        jit: Any = torch.jit
        jit.run_frozen_optimizations(module)
        return module

    def _onednn(self, module: Any) -> Any:
        if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            raise Unsupported("this torch has no oneDNN")
        torch._C._jit_pass_convert_frozen_ops_to_mkldnn(module.graph)
        return module

    def _inference(self, module: Any) -> Any:
        return torch.jit.optimize_for_inference(module)

    def _fuse(self, module: Any) -> Any:
        if not torch._C._llvm_enabled():
            raise Unsupported("this torch is built without LLVM, so it compiles nothing for processors")
        torch._C._jit_set_texpr_fuser_enabled(True)
        torch._C._jit_override_can_fuse_on_cpu(True)
        return module


def clean(graph: Any) -> None:
    """Inline calls, fold constants, simplify, and remove common parts and dead code, in this graph."""
    torch._C._jit_pass_inline(graph)
    torch._C._jit_pass_constant_propagation(graph)
    torch._C._jit_pass_peephole(graph)
    torch._C._jit_pass_cse(graph)
    torch._C._jit_pass_dce(graph)


def _nodes(block: Any) -> list[Any]:
    """Return the nodes of a graph, with those of its inner blocks."""
    found = []
    for node in block.nodes():
        found.append(node)
        for inner in node.blocks():
            found += _nodes(inner)
    return found


def _quiet() -> Any:
    return warnings.catch_warnings(action="ignore")  # that TorchScript is deprecated
