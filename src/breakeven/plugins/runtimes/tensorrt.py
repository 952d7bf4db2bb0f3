"""TensorRT through torch-tensorrt: engines for the GPU that they are built on.

It needs a GPU of NVIDIA's and torch-tensorrt 2.14 (`breakeven[tensorrt]`). https://docs.pytorch.org/TensorRT/
"""

from pathlib import Path
from typing import Any

from breakeven.artifacts.operators import Profiled
from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes._torch import TorchRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session

MODEL_FILE = "model.ep"
MAX_BATCH = 128  # inputs: an engine is tuned for a range of sizes


class TensorRt(TorchRuntime):
    """Builds engines from all operators that TensorRT has, tuned for a batch of one."""

    scored_on = "cuda"
    batch = MAX_BATCH
    library = "TensorRT"
    sizes = "its engines are tuned for the dataset's size, and take all"

    def export(self, source: ExportInput, folder: Path) -> None:
        """Build the engines, on the GPU."""
        import torch

        from breakeven.artifacts.tensors import each, separate
        from breakeven.artifacts.torch_export import export_program

        tensorrt = _library()
        model, example = self.converted(source).cuda(), each(torch.Tensor.cuda, source.example)
        names = ("min_shape", "opt_shape", "max_shape")
        batches = []
        for number, tensor in enumerate(separate(example)):
            shapes = [[count, *tensor.shape[1:]] for count in (1, 1, MAX_BATCH)]
            for one in source.varying:
                if (axis := one.axis_of(number)) is not None:
                    shapes[0][axis + 1], shapes[2][axis + 1] = one.least, one.most
            batches.append(tensorrt.Input(**dict(zip(names, shapes, strict=True)), dtype=tensor.dtype))
        program = export_program(model, example, source.varying, MAX_BATCH)
        with torch.no_grad(), refusal("TensorRT cannot build this model"):
            built = tensorrt.dynamo.compile(program, inputs=batches)
            tensorrt.save(built, str(folder / MODEL_FILE), inputs=batches)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Import torch-tensorrt; refuse all devices but a GPU."""
        context.require(("cuda",), "TensorRT")
        super().start(folder, context)
        _library()

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the program with its engines."""
        return torch_session(_library().load(str(folder / MODEL_FILE)).module(), context.device)

    def profile(self, *arguments: Any) -> Profiled:
        """Refuse: an engine is one operator to torch's profiler.

        Raises:
            Unsupported: always.
        """
        raise Unsupported("torch's profiler does not see into TensorRT's engines")


def _library() -> Any:
    """Import and return torch_tensorrt.

    Raises:
        Unsupported: it is not installed, or there is no GPU.
    """
    import torch

    if not torch.cuda.is_available():
        raise Unsupported("TensorRT needs a GPU, and torch can use none here")
    try:
        import torch_tensorrt
    except ImportError:
        raise Unsupported(not_installed("tensorrt")) from None
    return torch_tensorrt
