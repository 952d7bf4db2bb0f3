"""ExecuTorch with XNNPACK: PyTorch's runtime for phones, which runs on servers too.

It needs the package executorch 1.5 (`breakeven[executorch]`). https://docs.pytorch.org/executorch/
"""

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import Profiled
from breakeven.artifacts.records import fields_of, outputs_of
from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes import _executorch_private, _executorch_profile, _torch_private
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

MODEL_FILE = "model.pte"
MAX_BATCH = 15  # inputs: its lowering chooses a convolution for fewer than 16


class ExecuTorch(Runtime):
    """Delegates to XNNPACK every operator that XNNPACK has."""

    modules = ("torch",)
    batch = MAX_BATCH
    library = "ExecuTorch"
    sizes = "its memory is planned for the largest"
    exporter = (
        *_torch_private.EXPORTER,
        "executorch.exir",
        "executorch.backends.xnnpack.partition.xnnpack_partitioner",
    )

    def export(self, source: ExportInput, folder: Path) -> None:
        """Write one file, whose memory is planned for batches of up to `MAX_BATCH`."""
        from breakeven.artifacts.torch_export import export_program

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ExecuTorch uses deprecated parts of torch
            try:
                from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
                from executorch.exir import to_edge_transform_and_lower
            except ImportError:
                raise Unsupported(not_installed("executorch")) from None
            program = export_program(source.model, source.example, source.varying, MAX_BATCH)
            with refusal("ExecuTorch cannot lower this model"):
                lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
                with (folder / MODEL_FILE).open("wb") as file:
                    lowered.to_executorch().write_to_file(file)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Import ExecuTorch, and set the size of its thread pool."""
        context.require(("cpu",), "ExecuTorch's XNNPACK")
        try:
            import executorch.runtime  # noqa: F401
            import torch

            torch.set_flush_denormal(True)  # for its own kernels; XNNPACK always flushes
            _executorch_private.set_threads(context.threads)
        except ImportError:
            raise Unsupported(not_installed("executorch")) from None

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the program and its one method; XNNPACK packs the weights while loading."""
        import torch
        from executorch.runtime import Runtime as Engine

        method = Engine.get().load_program(folder / MODEL_FILE).load_method("forward")
        assert method is not None

        def prepare(images: NDArray[Any]) -> Any:
            if len(images) > MAX_BATCH:
                raise Unsupported(f"its memory is planned for {MAX_BATCH} images at most, not {len(images)}")
            return [torch.from_numpy(field) for field in fields_of(images)]

        def result(output: Any) -> NDArray[Any]:
            return outputs_of([np.array(tensor.numpy()) for tensor in output])

        return Session(prepare, method.execute, result)

    def profile(
        self, folder: Path, context: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> Profiled:
        """Read ExecuTorch's own record of a run, and XNNPACK's."""
        return _executorch_profile.profile(folder / MODEL_FILE, session.prepare(images), calls)

    def execution_details(self, folder: Path, context: ExecutionContext) -> dict[str, str]:
        """Return what the program delegates, and what it leaves to ExecuTorch's own kernels."""
        plan = _executorch_private.execution_plan(folder / MODEL_FILE)
        engines = Counter(delegate.id for delegate in plan.delegates)
        parts = " and ".join(f"{count} parts to {engine}" for engine, count in engines.items())
        kernels = [operator.name.removeprefix("aten::") for operator in plan.operators]
        return {
            "delegated": f"{parts or 'nothing'}; left to its own kernels: {', '.join(kernels) or 'nothing'}"
        }
