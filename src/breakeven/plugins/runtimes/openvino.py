"""OpenVINO on the CPU, converted straight from the PyTorch model."""

import threading
import warnings
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime
from breakeven.core.errors import Unsupported
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

FILE = "model.xml"
INSTALL = "not installed: pip install 'breakeven[openvino]'"
DEVICES = {"cpu": "CPU"}  # kind of device -> OpenVINO's name
HINTS = {"fp32": "f32", "bf16": "bf16"}
# the end of a kernel's name -> precision
PRECISIONS = {"i8": "int8", "u8": "int8", "bf16": "bf16", "f32": "fp32", "fp32": "fp32"}
CONVERSIONS = ("Convert", "Reorder")


class _Requests(threading.local):
    """Those of one calling thread, one for each size of a batch, or for all (None)."""

    def __init__(self) -> None:
        self.by_batch: dict[int | None, Any] = {}


class OpenVino(Runtime):
    """Tuned for latency, with one stream; for throughput where callers share the session."""

    # Importing it starts a thread: what is forked while that holds a lock hangs. Each worker imports it.
    modules = ()
    precisions = ("fp32", "bf16")

    def export(self, source: ExportInput, folder: Path) -> None:
        """Topology and weights, with a free batch dimension; weights stay float32."""
        try:
            import openvino
        except ImportError:
            raise Unsupported(INSTALL) from None
        shape = openvino.PartialShape([-1, *source.example.shape[1:]])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it traces the model, which torch deprecates
                model = openvino.convert_model(source.model, example_input=source.example, input=shape)
        except openvino.frontend.OpConversionFailure as error:
            reason = str(error).strip().splitlines()[0]
            raise Unsupported(f"openvino cannot convert this model: {reason}") from None
        openvino.save_model(model, folder / FILE, compress_to_fp16=False)

    def start(self, folder: Path, place: ExecutionContext) -> None:
        """Import it; the threads are the compiled model's."""
        place.require(DEVICES, "OpenVINO")
        try:
            import openvino
        except ImportError:
            raise Unsupported(INSTALL) from None
        if self.precision == "bf16":
            able = openvino.Core().get_property(DEVICES[place.kind], "OPTIMIZATION_CAPABILITIES")
            if "BF16" not in able:
                raise Unsupported("OpenVINO has no bf16 for this processor")

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Compile for the processor, which takes most of the time.

        Where the size of a batch is known, for that one, and for others when they come.
        """
        import openvino

        compiled = cache(partial(self._compiled, folder, place))
        compiled(place.batch)
        own = _Requests()

        def prepare(images: NDArray[Any]) -> Any:
            return place.batch and len(images), openvino.Tensor(np.array(images), shared_memory=True)

        def run(inputs: Any) -> Any:
            batch, tensor = inputs
            if not (request := own.by_batch.get(batch)):
                request = own.by_batch[batch] = compiled(batch).create_infer_request()
            request.set_input_tensor(tensor)
            return request.infer(share_outputs=True)

        def result(output: Any) -> NDArray[np.float32]:
            return np.array(output[0], np.float32)  # a copy: the request's own memory is used again

        return Session(prepare, run, result)

    def profile(
        self, folder: Path, place: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> list[OperatorTime]:
        """The graph as it was compiled, with the precision of each of its nodes."""
        import openvino

        model = self._compiled(folder, place, len(images), PERF_COUNT="YES")
        request = model.create_infer_request()
        kernels = []
        for _ in range(calls):
            request.infer([images])
            for node in request.get_profiling_info():
                if node.status == openvino.ProfilingInfo.Status.EXECUTED:  # of some in less than it counts
                    ms = node.real_time.total_seconds() * 1e3 / calls
                    precision = PRECISIONS.get(node.exec_type.rpartition("_")[2].lower(), "")
                    precision = "" if node.node_type in CONVERSIONS else precision
                    kernels.append(
                        OperatorTime(f"{node.node_type} ({node.exec_type})", precision, ms, 1 / calls)
                    )
        return kernels

    def _compiled(self, folder: Path, place: ExecutionContext, batch: int | None, **more: str) -> Any:
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / FILE)
        if batch:
            model.reshape({taken: [batch, *taken.partial_shape[1:]] for taken in model.inputs})
        settings = {
            **_hints(place.callers),
            "INFERENCE_NUM_THREADS": str(place.threads),
            # Where the processor has bf16, OpenVINO's own choice is to compute float32 models in it.
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            # The hardware has pinned the process already.
            "ENABLE_CPU_PINNING": "NO",
            **more,
        }
        return core.compile_model(model, DEVICES[place.kind], settings)


def _hints(callers: int) -> dict[str, str]:
    """One stream that all threads work for; or as many streams as it finds right for so many callers."""
    if callers == 1:
        return {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
    return {"PERFORMANCE_HINT": "THROUGHPUT", "PERFORMANCE_HINT_NUM_REQUESTS": str(callers)}
