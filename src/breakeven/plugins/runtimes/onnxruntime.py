"""ONNX Runtime, on a file that torch's exporter writes.

It needs onnx 1.23, onnxruntime 1.31 and onnxscript 0.7 or newer (`breakeven[onnxruntime]`). https://onnxruntime.ai
"""

import contextlib
import io
import json
import logging
import warnings
from bisect import bisect
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime, Profiled, durations_s, typical
from breakeven.artifacts.records import fields_of, outputs_of
from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes import _torch_private
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

MODEL_FILE = "model.onnx"
CUT_US = 0.5  # of a duration in whole microseconds, on average
CONVERSIONS = ("Cast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
# Kind of device -> the execution provider of ONNX Runtime
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRuntime(Runtime):
    """Uses all graph optimizations, and one inter-op thread, since a classifier's graph is a chain."""

    modules = ("onnxruntime",)
    library = "ONNX Runtime"
    sizes = "its graph leaves them open"
    exporter = (
        "torch.onnx",
        "onnxscript",
        "onnxscript.function_libs.torch_lib.ops",
        *_torch_private.ONNX_EXPORTER,
    )

    def export(self, source: ExportInput, folder: Path) -> None:
        """Write one file, for any number of inputs, without the paths of the source code."""
        import torch

        try:
            import onnxscript  # noqa: F401  (the exporter needs it)
        except ImportError:
            raise Unsupported(not_installed("onnxruntime")) from None
        from breakeven.artifacts.onnx_strip import strip_names
        from breakeven.artifacts.tensors import separate
        from breakeven.artifacts.torch_export import dynamic_shapes

        given = separate(source.example)
        names = [*source.input_names] or ["images"]
        batch = torch.export.Dim("batch")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore", DeprecationWarning)  # the exporter uses deprecated parts of torch
            warnings.simplefilter("ignore", FutureWarning)
            # Several inputs share one batch: torch renames the axis of one, and says so for the others.
            warnings.filterwarnings("ignore", r".*The axis name: \w+ will not be used")
            with refusal("torch.onnx cannot export this model"):
                program = torch.onnx.export(
                    source.model,
                    given,
                    input_names=names,
                    output_names=_output_names(source),
                    dynamic_shapes=dynamic_shapes(source.model, given, batch, source.varying),
                    dynamo=True,
                    verbose=False,
                )
                assert program
                strip_names(program.model)
                program.save(folder / MODEL_FILE)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Look for the execution provider; `load` sets the threads.

        Raises:
            Unsupported: ONNX Runtime is not installed, or has no provider for this device.
        """
        try:
            import onnxruntime
        except ImportError:
            raise Unsupported(not_installed("onnxruntime")) from None
        context.require(PROVIDERS, "ONNX Runtime")
        provider, available = PROVIDERS[context.kind], onnxruntime.get_available_providers()
        if provider not in available:
            raise Unsupported(
                f"the installed onnxruntime has no {provider}, only {', '.join(available)}: "
                f"install its package for {context.kind}"
            )

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Create the session."""
        session = _session(folder, context)
        called = SESSION_FACTORIES[context.kind](session, context.kind)
        return replace(called, threads=lambda: session.get_session_options().intra_op_num_threads)

    def profile(
        self, folder: Path, context: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> Profiled:
        """Ask ONNX Runtime's profiler; a node has its time in a typical call, up to where the next begins.

        ONNX Runtime cuts times to whole microseconds. Cut durations are too short, differences between cut
        times are right on average.
        """
        with TemporaryDirectory() as scratch:
            engine = _session(folder, context, profile=f"{scratch}/profile")
            profiled = SESSION_FACTORIES[context.kind](engine, context.kind)
            walls = durations_s(partial(profiled.run, profiled.prepare(images)), calls)
            events = json.loads(Path(engine.end_profiling()).read_text(encoding="utf-8"))
        nodes: dict[str, list[dict[str, Any]]] = {}
        for event in _with_whole_durations(events):
            nodes.setdefault(event["args"]["node_index"], []).append(event)
        kernels, tensors = [], 0.0
        for same in nodes.values():
            operator, input_shapes = same[0]["args"]["op_name"], same[0]["args"]["input_type_shape"]
            types = {name for one in input_shapes for name in one}
            precision = "" if operator in CONVERSIONS else _precision(types)
            share, times = len(same) / calls, [event["dur"] / 1e3 for event in same]
            ms = float(typical(times, walls)) if len(same) == calls else float(np.mean(times)) * share
            kernels.append(OperatorTime(operator, precision, ms, share))
            tensors += share * (len(input_shapes) + len(same[0]["args"]["output_type_shape"]))
        mean_tensors = tensors / max(sum(kernel.calls for kernel in kernels), 1)
        return Profiled(kernels, 1e3 * float(typical(walls, walls)), mean_tensors)

    def execution_details(self, folder: Path, context: ExecutionContext) -> dict[str, str]:
        """Return the execution providers of the session."""
        return {"providers": ", ".join(_session(folder, context).get_providers())}


def _with_whole_durations(events: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the events of nodes; each lasts until the next one of its call begins, in microseconds."""
    begins = sorted(event["ts"] for event in events if event["name"] == "model_run")
    nodes = [event for event in events if event["cat"] == "Node" and event["name"].endswith("_kernel_time")]
    nodes.sort(key=lambda event: event["ts"])
    for event, following in zip_longest(nodes, nodes[1:]):
        is_last = following is None or bisect(begins, following["ts"]) > bisect(begins, event["ts"])
        yield {**event, "dur": event["dur"] + CUT_US if is_last else following["ts"] - event["ts"]}


def _precision(types: Set[str]) -> str:
    if types & {"int8", "uint8"}:
        return "int8"
    return "fp32" if "float" in types else ""


def _session(folder: Path, context: ExecutionContext, profile: str = "") -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = context.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    provider = PROVIDERS[context.kind]
    session = onnxruntime.InferenceSession(folder / MODEL_FILE, options, [provider], enable_fallback=0)
    if provider not in session.get_providers():  # it drops a provider whose libraries it cannot load
        raise Unsupported(f"onnxruntime cannot start its {provider}: a library that it needs is missing")
    return session


def _output_names(source: ExportInput) -> list[str]:
    """Return names for the outputs, the scored ones first: `logits` for one, as users of the file expect."""
    import torch

    from breakeven.artifacts.tensors import call, separate

    with torch.no_grad():
        number = len(separate(call(source.model, source.example)))
    return ["logits"] if number == 1 else [f"output{place}" for place in range(number)]


def _with_arrays(session: Any, kind: str) -> Session:
    """Return a session whose inputs and outputs are arrays in the processor's memory."""
    names = [given.name for given in session.get_inputs()]

    def prepare(images: NDArray[Any]) -> Any:
        return dict(zip(names, map(np.ascontiguousarray, fields_of(images)), strict=True))

    return Session(prepare, lambda inputs: session.run(None, inputs), outputs_of)


def _with_bindings(session: Any, kind: str) -> Session:
    """Return a session whose inputs and outputs stay on the device, so that no copy is timed."""
    import onnxruntime

    names = [given.name for given in session.get_inputs()]
    output_names = [given.name for given in session.get_outputs()]

    def prepare(images: NDArray[Any]) -> Any:
        fields = map(np.ascontiguousarray, fields_of(images))
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(field, kind, 0) for field in fields]
        return list(zip(names, values, strict=True))

    def run(inputs: Any) -> Any:
        binding = session.io_binding()  # one for each call: callers may be threads
        for name, value in inputs:
            binding.bind_ortvalue_input(name, value)
        for name in output_names:
            binding.bind_output(name, kind, 0)
        session.run_with_iobinding(binding)
        return binding

    def result(output: Any) -> NDArray[Any]:
        return outputs_of(output.copy_outputs_to_cpu())

    return Session(prepare, run, result)


SESSION_FACTORIES = {"cpu": _with_arrays, "cuda": _with_bindings}
