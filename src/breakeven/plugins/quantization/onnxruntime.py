"""ONNX Runtime's own quantization tools: from an fp32 ONNX file to an int8 one."""

import logging
import tempfile
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from breakeven.artifacts.inference import batches
from breakeven.core.errors import Unsupported
from breakeven.plugins.quantization.base import CalibrationData, Exporter, Quantization, use_reduced_range

BINS = 2048  # of Entropy's histogram: of the tools' own 128 no range but that of all values has enough


class OnnxRuntimeQuantizer(Quantization):
    """Static: QDQ, per channel. Dynamic: activations are quantized at run time, one scale a tensor.

    Attributes:
        calibration: how the static scheme finds an activation's range; `MinMax` is ONNX Runtime's own choice.
        reduce_range: weights in 7 bits; by default where the processor has no VNNI.
    """

    calibration: Literal["MinMax", "Entropy", "Percentile"] = "MinMax"
    reduce_range: bool | None = None

    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Export in fp32, quantize the file, and drop from it what the tools leave there."""
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
            raise Unsupported("not installed: pip install 'breakeven[onnxruntime]'") from None
        from breakeven.artifacts.onnx_strip import strip_names

        logging.getLogger().setLevel(logging.ERROR)  # the tools log to the root logger
        with tempfile.TemporaryDirectory() as temporary:
            runtime.export(source, Path(temporary))
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
                    _Reader(examples.calibration),
                    quant_format=QuantFormat.QDQ,
                    calibrate_method=CalibrationMethod[self.calibration],
                    calibration_cache_path=(
                        _by_entropy(prepared, examples) if self.calibration == "Entropy" else None
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
    """Drop noted shapes, and name all nodes.

    The tools transpose weights, and then trip over what was noted before; and of nodes that share a bias they
    change one by its name.
    """
    import onnx

    model = onnx.load(path)
    del model.graph.value_info[:]
    for number, node in enumerate(model.graph.node):
        node.name = f"node {number}"
    onnx.save(model, path)


def _by_entropy(model: Path, examples: CalibrationData) -> Path:
    """A file of ranges beside `model`, as the tools would find them if they took a number of bins."""
    from onnxruntime.quantization import CalibrationMethod, create_calibrator, save_tensors_data

    calibrator = create_calibrator(
        model,
        augmented_model_path=str(model.with_suffix(".augmented")),
        calibrate_method=CalibrationMethod.Entropy,
        extra_options={"num_bins": BINS},
    )
    calibrator.collect_data(_Reader(examples.calibration))
    ranges = model.with_suffix(".json")
    save_tensors_data(calibrator.compute_data(), ranges)
    return ranges


class _Reader:
    """Calibration images in the form that the tools ask for."""

    def __init__(self, images: NDArray[Any]) -> None:
        self.batches = batches(images, 32)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next batch, or None at the end."""
        batch = next(self.batches, None)
        return None if batch is None else {"images": batch}
