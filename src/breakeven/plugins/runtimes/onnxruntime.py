"""ONNX Runtime, through torch's own exporter."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Set
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime
from breakeven.core.errors import Unsupported
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

FILE = "model.onnx"
INSTALL = "not installed: pip install 'breakeven[onnxruntime]'"
CONVERSIONS = ("Cast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
# kind of device -> what executes there
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRuntime(Runtime):
    """All graph optimizations; one inter-op thread, since a classifier's graph is a chain."""

    modules = ("onnxruntime",)

    def export(self, source: ExportInput, folder: Path) -> None:
        """One file, with a free batch dimension; no node tells which line of whose source it comes from."""
        import torch

        try:
            import onnxscript  # noqa: F401  (the exporter needs it)
        except ImportError:
            raise Unsupported(INSTALL) from None
        from breakeven.artifacts.onnx_strip import strip_names

        batch = torch.export.Dim("batch")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch's exporter's own parts
            warnings.simplefilter("ignore", FutureWarning)
            try:
                program = torch.onnx.export(
                    source.model,
                    (source.example,),
                    input_names=["images"],
                    output_names=["logits"],
                    dynamic_shapes=({0: batch},),
                    dynamo=True,
                    verbose=False,
                )
                assert program
            except torch.onnx.errors.OnnxExporterError as error:
                raise Unsupported(f"torch.onnx cannot export this model: {_cause(error)}") from None
        strip_names(program.model)
        program.save(folder / FILE)

    def start(self, folder: Path, place: ExecutionContext) -> None:
        """Look for the provider; the threads are the session's."""
        try:
            import onnxruntime
        except ImportError:
            raise Unsupported(INSTALL) from None
        place.require(PROVIDERS, "ONNX Runtime")
        provider, known = PROVIDERS[place.kind], onnxruntime.get_available_providers()
        if provider not in known:
            raise Unsupported(
                f"the installed onnxruntime has no {provider}, only {', '.join(known)}: "
                f"install its package for {place.kind}"
            )

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Create the session."""
        return CALLS[place.kind](_session(folder, place), place.kind)

    def profile(
        self, folder: Path, place: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> list[OperatorTime]:
        """By ONNX Runtime's own profiler: the median of each node's calls, since one may wait for a core."""
        with TemporaryDirectory() as scratch:
            engine = _session(folder, place, profile=f"{scratch}/profile")
            profiled = CALLS[place.kind](engine, place.kind)
            inputs = profiled.prepare(images)
            for _ in range(calls):
                profiled.run(inputs)
            events = json.loads(Path(engine.end_profiling()).read_text(encoding="utf-8"))
        nodes: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                nodes.setdefault(event["args"]["node_index"], []).append(event)
        kernels = []
        for same in nodes.values():
            operator, given = same[0]["args"]["op_name"], same[0]["args"]["input_type_shape"]
            types = {name for one in given for name in one}
            precision = "" if operator in CONVERSIONS else _precision(types)
            share = len(same) / calls
            ms = float(np.median([event["dur"] for event in same])) / 1e3 * share
            kernels.append(OperatorTime(operator, precision, ms, share))
        return kernels

    def execution_details(self, folder: Path, place: ExecutionContext) -> dict[str, str]:
        """What executes."""
        return {"providers": ", ".join(_session(folder, place).get_providers())}


def _cause(error: BaseException) -> str:
    """What went wrong at first; around it the exporter tells its steps, in colour."""
    while error.__cause__:
        error = error.__cause__
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


def _precision(types: Set[str]) -> str:
    if types & {"int8", "uint8"}:
        return "int8"
    return "fp32" if "float" in types else ""


def _session(folder: Path, place: ExecutionContext, profile: str = "") -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = place.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    provider = PROVIDERS[place.kind]
    session = onnxruntime.InferenceSession(folder / FILE, options, [provider], enable_fallback=0)
    if provider not in session.get_providers():  # it goes on without one whose libraries it cannot load
        raise Unsupported(f"onnxruntime cannot start its {provider}: a library that it needs is missing")
    return session


def _with_arrays(session: Any, kind: str) -> Session:
    """The inputs and outputs of a device that shares the processor's memory."""
    name = session.get_inputs()[0].name

    def prepare(images: NDArray[Any]) -> Any:
        return {name: np.ascontiguousarray(images)}

    def result(output: Any) -> NDArray[np.float32]:
        return np.asarray(output[0], np.float32)

    return Session(prepare, lambda inputs: session.run(None, inputs), result)


def _with_bindings(session: Any, kind: str) -> Session:
    """Inputs and outputs stay in the device's memory, as torch's do: no call is timed with a copy."""
    import onnxruntime

    taken, given = session.get_inputs()[0].name, session.get_outputs()[0].name

    def prepare(images: NDArray[Any]) -> Any:
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(images), kind, 0)

    def run(inputs: Any) -> Any:
        binding = session.io_binding()  # one for each call: callers may be threads
        binding.bind_ortvalue_input(taken, inputs)
        binding.bind_output(given, kind, 0)
        session.run_with_iobinding(binding)
        return binding

    def result(output: Any) -> NDArray[np.float32]:
        return np.asarray(output.copy_outputs_to_cpu()[0], np.float32)

    return Session(prepare, run, result)


CALLS = {"cpu": _with_arrays, "cuda": _with_bindings}
