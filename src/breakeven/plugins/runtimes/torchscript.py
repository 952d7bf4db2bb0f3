"""TorchScript: a model that is traced or scripted, perhaps frozen, and saved. It needs torch only."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes._torch import TorchRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session

if TYPE_CHECKING:
    from torch.jit import ScriptModule

MODEL_FILE = "model.ts"
INT8_DEVICES = ("cpu",)  # the devices for which torch has kernels of torch.ao's int8


class TorchScript(TorchRuntime):
    """Runs `torch.jit`, which torch deprecates and many deployments still use.

    Attributes:
        method: "trace" records the operators of one call; "script" compiles the Python code.
        freeze: make the weights constants of the graph.
        optimize: rewrite for inference after loading; no file can hold its weights in oneDNN's layout.
        compile: hand the loaded module to torch.compile, as some advise.
    """

    method: Literal["trace", "script"]
    freeze: bool = False
    optimize: bool = False
    compile: bool = False

    library = "TorchScript"
    sizes = "its graph takes them as they come"

    def export(self, source: ExportInput, folder: Path) -> None:
        """Trace or script, freeze if the settings say so, and save."""
        import torch

        model = self.converted(source)
        cannot = f"TorchScript cannot {self.method} this model"
        with torch.no_grad(), _deprecated(), refusal(cannot):
            if self.method == "trace":
                module = torch.jit.trace(model, source.example)  # type: ignore[no-untyped-call]
            else:
                module = torch.jit.script(model)
            if self.freeze:
                module = torch.jit.freeze(module)
            if self.compile:
                _compile(module)
            torch.jit.save(module, folder / MODEL_FILE)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Set the number of torch's threads; refuse int8 on a device without kernels for it."""
        super().start(folder, context)
        if context.kind not in INT8_DEVICES and "quantized::" in str(_load(folder, "cpu").inlined_graph):
            context.require(INT8_DEVICES, "torch.ao's int8")

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the file."""
        import torch

        module = _load(folder, context.device)
        if self.optimize:
            with torch.no_grad(), _deprecated():
                module = torch.jit.optimize_for_inference(module)
        return torch_session(_compile(module) if self.compile else module, context.device)


def _compile(module: "ScriptModule") -> "ScriptModule":
    import torch

    with refusal("torch.compile refuses it"):
        return torch.compile(module)  # type: ignore[return-value]


def _load(folder: Path, device: str) -> "ScriptModule":
    """Load the file onto the device; `to` would leave a frozen module's constants where they are."""
    import torch

    with _deprecated():
        module: ScriptModule = torch.jit.load(folder / MODEL_FILE, device)  # type: ignore[no-untyped-call]
    return module


@contextmanager
def _deprecated() -> Iterator[None]:
    """Silence torch's warnings that TorchScript is deprecated: users want it measured nevertheless."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
