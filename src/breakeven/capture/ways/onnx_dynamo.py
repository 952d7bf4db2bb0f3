"""torch.onnx.export with dynamo=True: the graph of torch.export, translated."""

from pathlib import Path

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _export, _onnx


class OnnxDynamo(Way):
    """Writes what torch.export captures."""

    title = "ONNX, dynamo=True"
    is_heavy = True
    modules = ("torch.onnx", "onnxscript", "onnxscript.function_libs.torch_lib.ops", "onnxruntime")

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Export the model to a file, and load the file in ONNX Runtime."""
        exported = _export.program(model, example, any_batch, strict=False)
        names, called = _onnx.names_of(model, example)
        program = torch.onnx.export(exported, input_names=names, dynamo=True, verbose=False)
        assert program
        file = folder / "model.onnx"
        program.save(file)
        return Captured(_onnx.run(file, called), is_stateless=True, is_flat=True)
