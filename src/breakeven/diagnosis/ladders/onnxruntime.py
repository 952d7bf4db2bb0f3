"""ONNX Runtime's levels of optimization, each with the graph that it leaves."""

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from breakeven.core.toolchain_errors import refusal
from breakeven.diagnosis.ladder import Ladder, Step
from breakeven.results.ladder_record import Rung

RAW, EXPORTED = "raw.onnx", "exported.onnx"
LEVELS = {
    "raw": "ORT_DISABLE_ALL",
    "exported": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}


class OnnxRuntime(Ladder):
    """What torch's exporter optimizes, and the levels of `graph_optimization_level`."""

    title = "ONNX Runtime"
    rungs = (
        Rung("raw", "the graph as torch's exporter writes it without its optimizer"),
        Rung("exported", "the exporter's optimizer: constants are folded, nodes merged", "raw"),
        Rung("basic", "ONNX Runtime folds constants, and removes or fuses simple nodes", "exported"),
        Rung("extended", "more complex fusions, into operators of ONNX Runtime's own", "basic"),
        Rung("all", "tensors lie as the kernels want them (NCHWc)", "extended"),
    )

    def prepare(self, model: nn.Module, inputs: tuple[Tensor, ...], folder: Path) -> None:
        """Export the model with and without the exporter's optimizer."""
        for file, optimize in ((RAW, False), (EXPORTED, True)):
            with torch.no_grad(), warnings.catch_warnings(action="ignore"), refusal("torch cannot export it"):
                program: Any = torch.onnx.export(
                    model.eval(), inputs, dynamo=True, verbose=False, optimize=optimize
                )
                program.save(folder / file)

    def step(self, rung: str, inputs: tuple[Tensor, ...], folder: Path) -> Step:
        """Create a session of this level, and read the graph that it made."""
        import onnx
        import onnxruntime
        from onnx import printer

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[rung])
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # that a graph of level "all" is for this machine only
        written = folder / f"{rung}.onnx"
        options.optimized_model_filepath = str(written)
        file = RAW if rung == "raw" else EXPORTED
        session = onnxruntime.InferenceSession(folder / file, options, providers=["CPUExecutionProvider"])
        feeds = {
            each.name: np.ascontiguousarray(tensor.numpy())
            for each, tensor in zip(session.get_inputs(), inputs, strict=True)
        }
        graph = onnx.load(written, load_external_data=False).graph
        return Step(
            lambda *_: session.run(None, feeds),
            printer.to_text(_without_weights(graph)),
            Counter(node.op_type for node in graph.node),
        )


def _without_weights(graph: Any) -> Any:
    """Return a copy of a graph without its constants, whose numbers would fill pages."""
    import onnx

    short = onnx.GraphProto()
    short.CopyFrom(graph)
    del short.initializer[:]
    return short
