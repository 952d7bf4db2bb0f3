"""TorchScript: traced or scripted, and frozen, saved to a file and loaded as a deployment would."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from breakeven.core.errors import Unsupported
from breakeven.plugins.runtimes._torch import TorchRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session

if TYPE_CHECKING:
    from torch.jit import ScriptModule

FILE = "model.ts"
INT8 = ("cpu",)  # the kinds of devices that torch has kernels of torch.ao's int8 for


class TorchScript(TorchRuntime):
    """`torch.jit`; deprecated by its makers, and still what much of production runs on.

    Attributes:
        optimize: rewrite for inference after loading: weights in oneDNN's layout, which no file can hold.
        compile: hand the loaded module to torch.compile, which some advise.
    """

    method: Literal["trace", "script"]
    freeze: bool = False
    optimize: bool = False
    compile: bool = False

    def export(self, source: ExportInput, folder: Path) -> None:
        """Trace or script, freeze if asked to, and save."""
        import torch

        model = self.converted(source)
        with torch.no_grad(), _deprecated():
            try:
                if self.method == "trace":
                    module = torch.jit.trace(model, source.example)  # type: ignore[no-untyped-call]
                else:
                    module = torch.jit.script(model)
                if self.freeze:
                    module = torch.jit.freeze(module)
            except (RuntimeError, torch.jit.frontend.NotSupportedError, TypeError) as error:
                raise Unsupported(f"TorchScript cannot {self.method} this model: {_first(error)}") from None
            if self.compile:
                _compile(module)
            torch.jit.save(module, folder / FILE)

    def start(self, folder: Path, place: ExecutionContext) -> None:
        """Set torch's threads; refuse int8 where torch would first notice in the middle of loading it."""
        super().start(folder, place)
        if place.kind not in INT8 and "quantized::" in str(_load(folder, "cpu").inlined_graph):
            place.require(INT8, "torch.ao's int8")

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Load the file."""
        import torch

        module = _load(folder, place.device)
        if self.optimize:
            with torch.no_grad(), _deprecated():
                module = torch.jit.optimize_for_inference(module)
        return torch_session(_compile(module) if self.compile else module, place.device)


def _compile(module: "ScriptModule") -> "ScriptModule":
    import torch

    try:
        return torch.compile(module)  # type: ignore[return-value]
    except RuntimeError as error:
        raise Unsupported(f"torch.compile refuses it: {_first(error)}") from None


def _load(folder: Path, device: str) -> "ScriptModule":
    """By `map_location`: what is frozen are constants, which `to` leaves where they are."""
    import torch

    with _deprecated():
        module: ScriptModule = torch.jit.load(folder / FILE, device)  # type: ignore[no-untyped-call]
    return module


@contextmanager
def _deprecated() -> Iterator[None]:
    """The deprecation is known, and the reason why users want to see these rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _first(error: Exception) -> str:
    """The first line that says something."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")[:200]
