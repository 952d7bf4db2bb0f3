"""OpenVINO on the processor, converted straight from the PyTorch model.

It needs openvino 2026.4 or newer (`breakeven[openvino]`). https://docs.openvino.ai
"""

import threading
import warnings
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime, Profiled, durations_s, typical
from breakeven.artifacts.records import fields_of, outputs_of
from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

MODEL_FILE = "model.xml"
DEVICES = {"cpu": "CPU"}  # kind of device -> OpenVINO's name
PRECISION_HINTS = {"fp32": "f32", "bf16": "bf16"}
# The end of a kernel's name -> precision
PRECISIONS = {"i8": "int8", "u8": "int8", "bf16": "bf16", "f32": "fp32", "fp32": "fp32"}
FIRST_CALLS = 10  # of a profile, which OpenVINO counts as slow ones
CONVERSIONS = ("Convert", "Reorder")


class _Requests(threading.local):
    """The inference requests of one calling thread, by batch size; None: for any size."""

    def __init__(self) -> None:
        self.by_batch: dict[int | None, Any] = {}


class OpenVino(Runtime):
    """Uses the latency hint with one stream, or the throughput hint where callers share the session."""

    # Its import starts a thread. A process that is forked while the thread holds a lock hangs, so each worker
    # imports it.
    modules = ()
    precisions = ("fp32", "bf16")
    library = "OpenVINO"
    sizes = "compiled with bounds; it prepares its kernels the first time a size comes"

    def export(self, source: ExportInput, folder: Path) -> None:
        """Write graph and weights, for any number of inputs; weights stay float32."""
        try:
            import openvino
        except ImportError:
            raise Unsupported(not_installed("openvino")) from None
        from breakeven.artifacts.tensors import separate

        given = separate(source.example)
        shapes = [[-1, *tensor.shape[1:]] for tensor in given]
        for one in source.varying:
            for number, axis in one.axes:
                shapes[number][axis + 1] = openvino.Dimension(one.least, one.most)
        with warnings.catch_warnings(), refusal("openvino cannot convert this model"):
            warnings.simplefilter("ignore")  # the converter traces, which torch deprecates
            example = given if len(given) > 1 else given[0]
            model = openvino.convert_model(
                source.model, example_input=example, input=[*map(openvino.PartialShape, shapes)]
            )
            openvino.save_model(model, folder / MODEL_FILE, compress_to_fp16=False)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Import OpenVINO; `load` sets the threads.

        Raises:
            Unsupported: it is not installed, or has no bf16 for this processor.
        """
        context.require(DEVICES, "OpenVINO")
        try:
            import openvino
        except ImportError:
            raise Unsupported(not_installed("openvino")) from None
        if self.precision == "bf16":
            able = openvino.Core().get_property(DEVICES[context.kind], "OPTIMIZATION_CAPABILITIES")
            if "BF16" not in able:
                raise Unsupported("OpenVINO has no bf16 for this processor")

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Compile for the processor.

        Where the batch size is known it compiles for that size, and for another size at its first call.
        """
        import openvino

        compiled = cache(partial(self._compiled, folder, context))
        compiled(context.batch)
        requests = _Requests()

        def prepare(images: NDArray[Any]) -> Any:
            tensors = [openvino.Tensor(np.array(field), shared_memory=True) for field in fields_of(images)]
            return context.batch and len(images), list(enumerate(tensors))

        def run(inputs: Any) -> Any:
            batch, tensors = inputs
            if not (request := requests.by_batch.get(batch)):
                request = requests.by_batch[batch] = compiled(batch).create_infer_request()
            for number, tensor in tensors:
                request.set_input_tensor(number, tensor)
            return request.infer(share_outputs=True)

        def result(output: Any) -> NDArray[Any]:
            # Copies: the request's own memory is used again
            return outputs_of([np.array(output[number]) for number in range(len(output))])

        def threads() -> int:
            return int(compiled(context.batch).get_property("INFERENCE_NUM_THREADS"))

        return Session(prepare, run, result, threads)

    def profile(
        self, folder: Path, context: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> Profiled:
        """Ask for the nodes of the compiled graph, each with its precision.

        OpenVINO tells the mean of a node over all calls since it compiled the graph, in whole microseconds.
        The first calls, which take longer, are counted by themselves, and taken off.
        """
        import openvino

        model = self._compiled(folder, context, len(images), PERF_COUNT="YES")
        request = model.create_infer_request()
        run = partial(request.infer, fields_of(images))
        durations_s(run, FIRST_CALLS)
        before = {node.node_name: node.real_time for node in request.get_profiling_info()}
        walls = durations_s(run, calls)
        kernels = []
        for node in request.get_profiling_info():
            # A node may also be executed in less time than OpenVINO counts.
            if node.status == openvino.ProfilingInfo.Status.EXECUTED:
                whole = (FIRST_CALLS + calls) * node.real_time - FIRST_CALLS * before[node.node_name]
                precision = PRECISIONS.get(node.exec_type.rpartition("_")[2].lower(), "")
                precision = "" if node.node_type in CONVERSIONS else precision
                name, ms = f"{node.node_type} ({node.exec_type})", 1e3 * whole.total_seconds() / calls
                kernels.append(OperatorTime(name, precision, max(ms, 0.0)))
        return Profiled(kernels, 1e3 * float(typical(walls, walls)))

    def _compiled(self, folder: Path, context: ExecutionContext, batch: int | None, **more: str) -> Any:
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / MODEL_FILE)
        if batch:
            model.reshape(
                {model_input: [batch, *model_input.partial_shape[1:]] for model_input in model.inputs}
            )
        settings = {
            **_hints(context.callers),
            "INFERENCE_NUM_THREADS": str(context.threads),
            # By default OpenVINO computes float32 models in bf16 where the processor has it.
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[self.precision],
            # By default OpenVINO flushes denormal numbers only if it sees some among the weights.
            "CPU_DENORMALS_OPTIMIZATION": "YES",
            # The hardware plugin has pinned the process.
            "ENABLE_CPU_PINNING": "NO",
            **more,
        }
        return core.compile_model(model, DEVICES[context.kind], settings)


def _hints(callers: int) -> dict[str, str]:
    """Return one stream for all threads, or leave the number of streams for `callers` to OpenVINO."""
    if callers == 1:
        return {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
    return {"PERFORMANCE_HINT": "THROUGHPUT", "PERFORMANCE_HINT_NUM_REQUESTS": str(callers)}
