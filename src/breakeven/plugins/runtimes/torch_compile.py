"""torch.compile: Inductor compiles C++ for the processor at the first call of each shape.

It needs torch 2.14 and a C++ compiler; for int8 also torchao 0.18 (`breakeven[torchao]`).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.files import read_json, write_json
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes import _torch_private
from breakeven.plugins.runtimes._torch import ModelSourceRuntime, TorchRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session

PROGRAM_FILE, VARYING_FILE = "model.pt2", "varying.json"


class TorchCompile(ModelSourceRuntime):
    """Compiles the model's own code, or the exported program of a model that a toolchain has changed.

    Attributes:
        mode: `max-autotune` also times kernels against each other while it compiles.
        freezing: make the weights constants, which are laid out for oneDNN and folded while compiling.
        cpp_wrapper: generate the calls between kernels in C++, instead of Python.
    """

    modules = (*ModelSourceRuntime.modules, *_torch_private.COMPILER_MODULES)
    caches = ("TORCHINDUCTOR_CACHE_DIR",)
    library = "torch.compile"
    sizes = "one compiled graph computes all, but a size of 1"

    mode: Literal["default", "max-autotune"] = "default"
    freezing: bool = True
    cpp_wrapper: bool = False

    def export(self, source: ExportInput, folder: Path) -> None:
        """Copy the model's files, or save the exported program of a changed model."""
        import torch

        from breakeven.artifacts.torch_export import export_program

        _torch_private.require_compiler()
        if source.changed:
            program = export_program(source.model, source.example, source.varying)
            with refusal("torch.export cannot save this model"):
                torch.export.save(program, folder / PROGRAM_FILE)
        else:
            super().export(source, folder)
        if source.varying:
            axes = [
                [number, axis + 1, one.least, one.most, one.step]
                for one in source.varying
                for number, axis in one.axes
            ]
            write_json(folder / VARYING_FILE, axes)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Set the number of torch's threads, and import the compiler."""
        _torch_private.require_compiler()
        # A pool of compiling processes would not stop when this process is stopped.
        _torch_private.configure_inductor(compile_threads=1, freezing=self.freezing)
        if not (folder / PROGRAM_FILE).exists():
            super().start(folder, context)
            return
        TorchRuntime.start(self, folder, context)
        context.require(("cpu",), "Inductor's int8")
        try:  # Inductor fuses int8 by patterns that come with the import
            import torchao.quantization.pt2e.quantizer.x86_inductor_quantizer  # noqa: F401
        except ImportError:
            raise Unsupported(not_installed("torchao")) from None

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the model; the first call compiles it."""
        import torch
        from torch import nn

        model: nn.Module
        if (folder / PROGRAM_FILE).exists():
            model = torch.export.load(folder / PROGRAM_FILE).module()
        else:
            model = self.model(folder, preprocessing).to(context.device)
        _torch_private.require_enabled()  # after the model's code has run
        options: dict[str, Any] = {
            **_torch_private.options_of_mode(self.mode),
            "cpp_wrapper": self.cpp_wrapper,
        }
        if not (folder / VARYING_FILE).exists():
            return torch_session(torch.compile(model, dynamic=False, options=options), context.device)
        session = torch_session(torch.compile(model, options=options), context.device)
        return _for_sizes(session, read_json(folder / VARYING_FILE))

    def execution_details(self, folder: Path, context: ExecutionContext) -> dict[str, str]:
        """Return where Dynamo broke the graph, so that Python runs that part, and why."""
        breaks = _torch_private.graph_breaks()
        graph = f"in pieces: {'; '.join(breaks)}" if breaks else "whole, no breaks"
        return {"graph": graph, **super().execution_details(folder, context)}


def _for_sizes(session: Session, axes: Sequence[Sequence[int]]) -> Session:
    """Return a session that compiles one graph for all sizes of these axes, and fails where it cannot.

    Args:
        axes: number of an input, the axis of a batch, its smallest and its largest size, and their step.
    """
    import torch

    def prepare(images: NDArray[Any]) -> Any:
        inputs = session.prepare(images)
        for number, axis, least, most, step in axes:
            if step > 1:  # the strict mark knows no multiples
                torch._dynamo.maybe_mark_dynamic(inputs[number], axis)
            elif inputs[number].shape[axis] > 1:  # torch compiles a size of 1 by itself
                torch._dynamo.mark_dynamic(inputs[number], axis, min=max(2, least), max=most)
        return inputs

    return replace(session, prepare=prepare)
