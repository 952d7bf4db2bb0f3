"""NNCF: post-training int8 for OpenVINO, with accuracy control if `max_drop` is set.

It needs nncf 3.4 or newer and openvino (`breakeven[openvino]`). https://github.com/openvinotoolkit/nncf
"""

import logging
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.quantization.base import CalibrationData, Exporter, Quantization

# NNCF's names of the methods. `MeanMinMax` is its default, except where each channel has its own range.
NNCF_RANGE_METHODS = {"MinMax": "MINMAX", "MeanQuantile": "MEAN_QUANTILE", "Histogram": "HISTOGRAM"}


class Nncf(Quantization):
    """Quantizes weights per channel, activations per tensor.

    Attributes:
        calibration: how an activation's range is found; `MeanMinMax` is NNCF's default.
        preset: `mixed` quantizes activations asymmetrically, `performance` symmetrically.
        fast_bias_correction: a rougher correction of the biases, in a fraction of the time.
        max_drop: allowed drop in accuracy on the validation split, a share; layers stay float32 to hold it.
    """

    scheme: Literal["static"]
    calibration: Literal["MinMax", "MeanMinMax", "MeanQuantile", "Histogram"] = "MeanMinMax"
    preset: Literal["performance", "mixed"] = "mixed"
    fast_bias_correction: bool = True
    max_drop: float | None = Field(None, gt=0, lt=1)

    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Export in float32, then quantize the graph."""
        try:
            import nncf
            import openvino
            from nncf.quantization.range_estimator import (
                RangeEstimatorParameters,
                RangeEstimatorParametersSet,
            )
        except ImportError:
            raise Unsupported(not_installed("openvino")) from None

        logging.getLogger("nncf").setLevel(logging.ERROR)
        settings = {
            "preset": nncf.QuantizationPreset(self.preset),
            "subset_size": len(examples.calibration),
            "fast_bias_correction": self.fast_bias_correction,
        }
        name = NNCF_RANGE_METHODS.get(self.calibration)
        ranges = getattr(RangeEstimatorParametersSet, name) if name else RangeEstimatorParameters()
        advanced = nncf.AdvancedQuantizationParameters(activations_range_estimator_params=ranges)
        calibration = nncf.Dataset([image[None] for image in examples.calibration])
        with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
            runtime.export(source, Path(temporary))
            (exported,) = Path(temporary).glob("*.xml")
            model = openvino.Core().read_model(exported)
            stack.enter_context(refusal("NNCF cannot quantize this model"))
            if self.max_drop is None:
                quantized = nncf.quantize(model, calibration, **settings, advanced_parameters=advanced)
            else:
                if examples.labels.ndim > 1 or examples.labels.dtype.kind != "i":
                    raise Unsupported(
                        "max_drop is a drop in accuracy, and this is no classification: set it to null"
                    )
                pairs = list(zip(examples.validation, examples.labels, strict=True))
                least = 1 / len(pairs)  # a drop of less than one image is no drop
                if self.max_drop < least:
                    print(f"  max_drop={self.max_drop:g} is {least:.2g} here, of {len(pairs)} images")
                quantized = nncf.quantize_with_accuracy_control(
                    model,
                    calibration,
                    nncf.Dataset(pairs, lambda pair: pair[0][None]),
                    _accuracy,
                    max_drop=max(self.max_drop, least),
                    **settings,
                    advanced_quantization_parameters=advanced,
                )
            openvino.save_model(quantized, folder / exported.name, compress_to_fp16=False)


def _accuracy(model: Any, pairs: Iterable[Any]) -> tuple[float, None]:
    """Return the share of images whose label has the largest logit, as NNCF wants it."""
    output = model.output(0)
    right = [int(np.argmax(model(image[None])[output])) == label for image, label in pairs]
    return float(np.mean(right)), None
