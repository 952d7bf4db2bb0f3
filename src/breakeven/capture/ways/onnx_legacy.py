"""torch.onnx.export with dynamo=False: a trace, translated operator by operator."""

from pathlib import Path

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _onnx


class OnnxLegacy(Way):
    """Records one run, as torch.jit.trace does."""

    title = "ONNX, dynamo=False"
    is_heavy = True
    modules = ("torch.onnx", "onnxruntime")

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Export the model to a file, and load the file in ONNX Runtime."""
        names, called = _onnx.names_of(model, example)
        own = example.batch_size()
        axes = {
            name: {0: "batch"}
            for name, tensor in zip(called, example.tensors, strict=True)
            if any_batch and tensor.ndim and len(tensor) == own
        }
        file = folder / "model.onnx"
        torch.onnx.export(
            model,
            example.args,
            file,
            kwargs=dict(example.kwargs) or None,
            input_names=names,
            dynamic_axes=axes or None,
            dynamo=False,
        )
        return Captured(_onnx.run(file, called), is_stateless=True, is_flat=True)
