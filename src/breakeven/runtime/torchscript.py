"""TorchScript: traced or scripted, and frozen, saved to a file and loaded as a deployment would."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from breakeven.errors import Unsupported
from breakeven.runtime.base import Place, Runtime, Session, Source, torch_session

if TYPE_CHECKING:
    from torch.jit import ScriptModule

FILE = "model.ts"
INT8 = ("cpu",)  # the kinds of devices that torch has kernels of torch.ao's int8 for


class TorchScript(Runtime):
    """`torch.jit`; deprecated by its makers, and still what much of production runs on."""

    modules = ("torch",)

    method: Literal["trace", "script"]
    freeze: bool = False

    def export(self, source: Source, folder: Path) -> None:
        """Trace or script, freeze if asked to, and save."""
        import torch

        with torch.no_grad(), warnings.catch_warnings():
            # The deprecation is known, and the reason why users want to see these rows.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            try:
                if self.method == "trace":
                    module = torch.jit.trace(source.model, source.example)  # type: ignore[no-untyped-call]
                else:
                    module = torch.jit.script(source.model)
                if self.freeze:
                    module = torch.jit.freeze(module)
            except (RuntimeError, torch.jit.frontend.NotSupportedError, TypeError) as error:
                lines = [line.strip() for line in str(error).splitlines() if line.strip()]
                raise Unsupported(f"TorchScript cannot {self.method} this model: {lines[0][:200]}") from None
            torch.jit.save(module, folder / FILE)

    def start(self, folder: Path, place: Place) -> None:
        """Set torch's threads; refuse int8 where torch would first notice in the middle of loading it."""
        import torch

        torch.set_num_threads(place.threads)
        if place.kind not in INT8 and "quantized::" in str(_load(folder, "cpu").inlined_graph):
            place.require(INT8, "torch.ao's int8")

    def load(self, folder: Path, place: Place, preprocessing: str) -> Session:
        """Load the file."""
        return torch_session(_load(folder, place.device), place.device)


def _load(folder: Path, device: str) -> "ScriptModule":
    """By `map_location`: what is frozen are constants, which `to` leaves where they are."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        module: ScriptModule = torch.jit.load(folder / FILE, device)  # type: ignore[no-untyped-call]
    return module
