"""OpenVINO on the CPU, converted straight from the PyTorch model."""

import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import Unsupported
from breakeven.runtime.base import Place, Runtime, Session, Source

FILE = "model.xml"
INSTALL = "not installed: pip install 'breakeven[openvino]'"
DEVICES = {"cpu": "CPU"}  # kind of device -> OpenVINO's name


class OpenVino(Runtime):
    """One stream, tuned for latency."""

    # Importing it starts a thread: what is forked while that holds a lock hangs. Each worker imports it.
    modules = ()

    def export(self, source: Source, folder: Path) -> None:
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

    def start(self, folder: Path, place: Place) -> None:
        """Nothing more: the threads are the compiled model's."""
        place.require(DEVICES, "OpenVINO")
        try:
            import openvino  # noqa: F401
        except ImportError:
            raise Unsupported(INSTALL) from None

    def load(self, folder: Path, place: Place, preprocessing: str) -> Session:
        """Compile for the processor, which takes most of the time."""
        import openvino

        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(place.threads),
            # Where the processor has bf16, OpenVINO's own choice is to compute float32 models in it.
            "INFERENCE_PRECISION_HINT": "f32",
            # The hardware has pinned the process already.
            "ENABLE_CPU_PINNING": "NO",
        }
        model = openvino.Core().compile_model(folder / FILE, DEVICES[place.kind], settings)
        own = threading.local()  # a request is one caller's

        def prepare(images: NDArray[Any]) -> Any:
            return openvino.Tensor(np.array(images), shared_memory=True)

        def run(inputs: Any) -> Any:
            if not hasattr(own, "request"):
                own.request = model.create_infer_request()
            own.request.set_input_tensor(inputs)
            return own.request.infer(share_outputs=True)

        def result(output: Any) -> NDArray[np.float32]:
            return np.array(output[0], np.float32)  # a copy: the request's own memory is used again

        return Session(prepare, run, result)
