"""ONNX Runtime on the CPU, through torch's own exporter."""

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import Unsupported
from breakeven.runtime.base import Runtime, Session, Source

FILE = "model.onnx"
INSTALL = "not installed: pip install 'breakeven[onnxruntime]'"


class OnnxRuntime(Runtime):
    """All graph optimizations; one inter-op thread, since a classifier's graph is a chain."""

    modules = ("onnxruntime",)

    def export(self, source: Source, folder: Path) -> None:
        """One file, with a free batch dimension."""
        import torch

        try:
            import onnxscript  # noqa: F401  (the exporter needs it)
        except ImportError:
            raise Unsupported(INSTALL) from None
        batch = torch.export.Dim("batch")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch's exporter's own parts
            warnings.simplefilter("ignore", FutureWarning)
            try:
                torch.onnx.export(
                    source.model,
                    (source.example,),
                    str(folder / FILE),
                    input_names=["images"],
                    output_names=["logits"],
                    dynamic_shapes=({0: batch},),
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
            except torch.onnx.errors.OnnxExporterError as error:
                raise Unsupported(
                    f"torch.onnx cannot export this model: {str(error).splitlines()[0]}"
                ) from None

    def start(self, folder: Path, threads: int) -> None:
        """Nothing more: the threads are the session's."""
        try:
            import onnxruntime  # noqa: F401
        except ImportError:
            raise Unsupported(INSTALL) from None

    def load(self, folder: Path, threads: int, preprocessing: str) -> Session:
        """Create the session."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        session = onnxruntime.InferenceSession(folder / FILE, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name

        def prepare(images: NDArray[Any]) -> Any:
            return {name: np.ascontiguousarray(images)}

        def result(output: Any) -> NDArray[np.float32]:
            return np.asarray(output[0], np.float32)

        return Session(prepare, lambda inputs: session.run(None, inputs), result)
