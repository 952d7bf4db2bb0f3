"""ONNX Runtime's quantization tools: from a float32 ONNX file to an int8 one.

They need onnxruntime 1.31 or newer (`breakeven[onnxruntime]`).
"""

import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.quantization._onnxruntime_ranges import (
    BatchReader,
    calibration_batches,
    write_ranges,
)
from breakeven.plugins.quantization.base import CalibrationData, Exporter, Quantization, use_reduced_range


class OnnxRuntimeQuantizer(Quantization):
    """Writes QDQ nodes with a scale per channel (static), or quantizes activations at run time (dynamic).

    Attributes:
        calibration: how the static scheme finds an activation's range; `MinMax` is ONNX Runtime's default.
        reduce_range: hold weights in 7 bits; by default where the processor has no VNNI.
    """

    imports = ("onnxruntime.quantization", "onnxruntime.quantization.shape_inference", "onnx_ir")

    calibration: Literal["MinMax", "Entropy", "Percentile"] = "MinMax"
    reduce_range: bool | None = None

    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Export in float32, quantize the file, and remove the names that the tools leave in it."""
        try:
            import onnx_ir
            from onnxruntime.quantization import (
                CalibrationMethod,
                QuantFormat,
                QuantType,
                quantize_dynamic,
                quantize_static,
            )
            from onnxruntime.quantization.shape_inference import quant_pre_process
        except ImportError:
            raise Unsupported(not_installed("onnxruntime")) from None
        from breakeven.artifacts.onnx_strip import strip_names

        logging.getLogger().setLevel(logging.ERROR)  # the tools use the root logger
        with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
            runtime.export(source, Path(temporary))
            stack.enter_context(refusal("ONNX Runtime's tools cannot quantize this model"))
            (exported,) = Path(temporary).glob("*.onnx")
            prepared = Path(temporary, "prepared.onnx")
            quant_pre_process(str(exported), str(prepared), skip_symbolic_shape=True)
            _prepare(prepared)
            target = folder / exported.name
            if self.scheme == "dynamic":
                # ONNX Runtime has an integer convolution for unsigned weights only.
                quantize_dynamic(
                    prepared,
                    target,
                    weight_type=QuantType.QUInt8,
                    reduce_range=use_reduced_range(self.reduce_range),
                )
            else:
                quantize_static(
                    str(prepared),
                    target,
                    BatchReader(calibration_batches(examples.calibration)),
                    quant_format=QuantFormat.QDQ,
                    calibrate_method=CalibrationMethod[self.calibration],
                    calibration_cache_path=(
                        None
                        if self.calibration == "MinMax"
                        else write_ranges(prepared, examples.calibration, self.calibration)
                    ),
                    per_channel=True,
                    reduce_range=use_reduced_range(self.reduce_range),
                    activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8,
                )
        model = onnx_ir.load(target)
        strip_names(model)
        onnx_ir.save(model, target)


def _prepare(path: Path) -> None:
    """Remove stored shapes, and give every node a name.

    The tools transpose weights, and fail on shapes that were stored before. Of nodes that share a bias they
    find the one to change by its name.
    """
    import onnx

    model = onnx.load(path)
    del model.graph.value_info[:]
    for number, node in enumerate(model.graph.node):
        node.name = f"node {number}"
    onnx.save(model, path)
