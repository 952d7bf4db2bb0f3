"""AOTInductor compiles an exported program ahead of time, to a shared library with the weights.

It needs torch 2.14 and a C++ compiler. https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html
"""

import re
import zipfile
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from breakeven.artifacts.operators import Profiled
from breakeven.core.errors import Unsupported
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes import _onednn_profile, _torch_private
from breakeven.plugins.runtimes._torch import TorchRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session

PACKAGE_FILE = "model.pt2"
# The package, unpacked: torch would unpack at each start, and a killed process leave it.
PACKAGE_FOLDER = "package"


class AotInductor(TorchRuntime):
    """Compiles for the processor that exports, and calls the library as AOTInductor's guide does.

    Attributes:
        freezing: make the weights constants, laid out for oneDNN while compiling.
        any_batch: compile for any number of inputs; otherwise for one, so that the compiler knows every size.
    """

    modules = (*TorchRuntime.modules, _torch_private.AOT_LOADER)
    library = "AOTInductor"
    sizes = "one compiled library computes all"
    exporter = _torch_private.AOT_EXPORTER

    freezing: bool = True
    any_batch: bool = True

    @property
    def batch(self) -> int:  # type: ignore[override]
        """Return how many inputs a call has while accuracy is computed."""
        return TorchRuntime.batch if self.any_batch else 1

    def export(self, source: ExportInput, folder: Path) -> None:
        """Capture the graph, compile it, and unpack the package."""
        import torch

        from breakeven.artifacts.torch_export import export_program

        _torch_private.require_compiler()
        most = None if self.any_batch else 1
        program = export_program(self.converted(source), source.example, source.varying, most)
        settings: dict[str, Any] = {
            "freezing": self.freezing,
            "compile_threads": 1,
            # Otherwise the present number of threads is compiled in: later two threads may run on one core.
            "cpp.dynamic_threads": True,
        }
        cannot = "AOTInductor cannot compile this model"
        with torch.no_grad(), _torch_private.fresh_cache(), refusal(cannot):
            _torch_private.compile_ahead(program, folder / PACKAGE_FILE, settings)
        with zipfile.ZipFile(folder / PACKAGE_FILE) as packed:
            packed.extractall(folder / PACKAGE_FOLDER)
        (folder / PACKAGE_FILE).unlink()

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Set the number of torch's threads; refuse a GPU."""
        super().start(folder, context)
        context.require(("cpu",), "AOTInductor, as it is compiled here,")

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the library and its weights.

        One runner is enough: a call from Python holds the interpreter's lock, so that other threads wait.
        """
        (root,) = (folder / PACKAGE_FOLDER).iterdir()
        session = torch_session(_torch_private.load_compiled(root), context.device)
        return session if self.any_batch else replace(session, prepare=partial(self._one, session))

    def _one(self, session: Session, images: NDArray[Any]) -> Any:
        """Prepare a single image, (1, C, H, W).

        Raises:
            Unsupported: there is more than one.
        """
        if len(images) > 1:
            raise Unsupported(
                f"compiled for one image at once, not for {len(images)}: any_batch=true takes any"
            )
        return session.prepare(images)

    def profile(
        self, folder: Path, context: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> Profiled:
        """Ask oneDNN: torch's profiler does not see what the compiled C++ calls."""
        return _onednn_profile.profile(partial(session.run, session.prepare(images)), calls)

    def execution_details(self, folder: Path, context: ExecutionContext) -> dict[str, str]:
        """Return the calls in the generated C++; a fused operator has no call of its own."""
        (code,) = (folder / PACKAGE_FOLDER).rglob("*.wrapper.cpp")
        return facts_of(code.read_text(encoding="utf-8"))


def facts_of(code: str) -> dict[str, str]:
    """Return the library calls and the generated kernels in C++ that Inductor wrote."""
    libraries = Counter(re.findall(r"\baoti_torch_cpu_(\w+)\(", code))
    generated_kernels = sorted(set(re.findall(r"\bcpp_fused_\w+", code)))
    return {
        "calls of libraries": ", ".join(f"{count} {name}" for name, count in libraries.items()) or "none",
        "kernels of its own": ", ".join(generated_kernels) or "none",
    }
