"""AOTInductor: the graph of torch.export, compiled to a library."""

from pathlib import Path

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.way import Captured, Way
from breakeven.capture.ways import _export


class AotInductor(Way):
    """Compiles what torch.export captures."""

    title = "AOTInductor"
    is_heavy = True
    modules = ("torch._inductor.compile_fx",)

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Compile the model to a package, and load it."""
        exported = _export.program(model, example, any_batch, strict=False)
        package = torch._inductor.aoti_compile_and_package(exported, package_path=str(folder / "model.pt2"))
        return Captured(torch._inductor.aoti_load_package(package))
