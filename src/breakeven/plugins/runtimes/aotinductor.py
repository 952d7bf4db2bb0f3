"""AOTInductor: the exported program, compiled ahead of time to a shared library with its weights."""

import re
import zipfile
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime
from breakeven.core.errors import Unsupported
from breakeven.plugins.runtimes import _onednn_profile, _torch_private
from breakeven.plugins.runtimes._torch import TorchRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session

PACKAGE = "model.pt2"
FOLDER = "package"  # unpacked: torch would do it at each start, where a killed process leaves it


class AotInductor(TorchRuntime):
    """For the processor that it is compiled on; called as its guide does.

    Attributes:
        freezing: weights become constants, laid out for oneDNN while compiling.
        any_batch: for any number of images at once; otherwise for one, with all sizes known to the compiler.
    """

    modules = (*TorchRuntime.modules, _torch_private.AOT_LOADER)

    freezing: bool = True
    any_batch: bool = True

    @property
    def batch(self) -> int:  # type: ignore[override]
        """As many as it can take when it is scored."""
        return TorchRuntime.batch if self.any_batch else 1

    def export(self, source: ExportInput, folder: Path) -> None:
        """Export, compile, unpack."""
        import torch

        from breakeven.artifacts.torch_export import export_program

        _torch_private.require_compiler()
        program = export_program(self.converted(source), source.example, most=None if self.any_batch else 1)
        settings: dict[str, Any] = {
            "freezing": self.freezing,
            "compile_threads": 1,
            # Or the number of threads here and now would be compiled in: two on one core later.
            "cpp.dynamic_threads": True,
        }
        with torch.no_grad(), _torch_private.fresh_cache():
            _torch_private.compile_ahead(program, folder / PACKAGE, settings)
        with zipfile.ZipFile(folder / PACKAGE) as packed:
            packed.extractall(folder / FOLDER)
        (folder / PACKAGE).unlink()

    def start(self, folder: Path, place: ExecutionContext) -> None:
        """Set torch's threads."""
        super().start(folder, place)
        place.require(("cpu",), "AOTInductor, as it is compiled here,")

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Load the library and its weights.

        With one runner: a call from Python keeps the interpreter to itself, so that others would wait anyhow.
        """
        (root,) = (folder / FOLDER).iterdir()
        session = torch_session(_torch_private.load_compiled(root), place.device)
        return session if self.any_batch else replace(session, prepare=partial(self._one, session))

    def _one(self, session: Session, images: NDArray[Any]) -> Any:
        """A single image.

        Raises:
            Unsupported: there are more.
        """
        if len(images) > 1:
            raise Unsupported(
                f"compiled for one image at once, not for {len(images)}: any_batch=true takes any"
            )
        return session.prepare(images)

    def profile(
        self, folder: Path, place: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> list[OperatorTime]:
        """By oneDNN: the C++ calls it past torch's profiler."""
        return _onednn_profile.profile(partial(session.run, session.prepare(images)), calls)

    def execution_details(self, folder: Path, place: ExecutionContext) -> dict[str, str]:
        """What its C++ calls, which it keeps beside the library: what is fused has no call of its own."""
        (code,) = (folder / FOLDER).rglob("*.wrapper.cpp")
        return facts_of(code.read_text(encoding="utf-8"))


def facts_of(code: str) -> dict[str, str]:
    """The calls in C++ that Inductor wrote."""
    libraries = Counter(re.findall(r"\baoti_torch_cpu_(\w+)\(", code))
    own = sorted(set(re.findall(r"\bcpp_fused_\w+", code)))
    return {
        "calls of libraries": ", ".join(f"{count} {name}" for name, count in libraries.items()) or "none",
        "kernels of its own": ", ".join(own) or "none",
    }
