"""TorchScript: traced or scripted, and frozen, saved to a file and loaded as a deployment would."""

import warnings
from pathlib import Path
from typing import Literal

from breakeven.errors import Unsupported
from breakeven.runtime.base import Runtime, Session, Source, torch_session

FILE = "model.ts"


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

    def start(self, folder: Path, threads: int) -> None:
        """Set torch's threads."""
        import torch

        torch.set_num_threads(threads)

    def load(self, folder: Path, threads: int, preprocessing: str) -> Session:
        """Load the file."""
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            module = torch.jit.load(folder / FILE)  # type: ignore[no-untyped-call]
        return torch_session(module)
