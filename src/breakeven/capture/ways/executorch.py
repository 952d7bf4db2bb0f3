"""ExecuTorch: the graph of torch.export, lowered to a program for its own runtime."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.capture.example import Example, tensors_of
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _export

MAX_BATCH = 15  # as the runtime's


class ExecuTorch(Way):
    """Lowers what torch.export captures, with XNNPACK for the operators that it has."""

    title = "ExecuTorch"
    is_heavy = True
    modules = ("executorch.exir", "executorch.backends.xnnpack.partition.xnnpack_partitioner")

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Lower the model to a file, and load it. Its memory is planned for the largest batch."""
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower
        from executorch.runtime import Runtime

        exported = _export.program(model, example, any_batch, strict=False, most=MAX_BATCH)
        lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        file = folder / "model.pte"
        with file.open("wb") as out:
            lowered.to_executorch().write_to_file(out)
        method = Runtime.get().load_program(file).load_method("forward")
        assert method is not None

        def call(*args: Any, **kwargs: Any) -> list[Tensor]:
            outputs = method.execute(tensors_of((args, kwargs)))
            return [torch.as_tensor(output) for output in outputs]

        return Captured(call, is_flat=True)
