"""NNCF: post-training int8 for OpenVINO, with accuracy control if `max_drop` is set.

It needs nncf 3.4 or newer and openvino (`breakeven[openvino]`). https://github.com/openvinotoolkit/nncf
"""

import logging
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from breakeven.artifacts.inference import batches
from breakeven.artifacts.records import fields_of, outputs_of
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
        max_drop: allowed drop of the score on the validation split, a share; of scores that are no shares, a
            share of the score; layers stay float32 to hold it.
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
        calibration = nncf.Dataset([fields_of(sample) for sample in batches(examples.calibration, 1)])
        with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
            runtime.export(source, Path(temporary))
            (exported,) = Path(temporary).glob("*.xml")
            model = openvino.Core().read_model(exported)
            stack.enter_context(refusal("NNCF cannot quantize this model"))
            if self.max_drop is None:
                quantized = nncf.quantize(model, calibration, **settings, advanced_parameters=advanced)
            else:
                quantized = nncf.quantize_with_accuracy_control(
                    model,
                    calibration,
                    nncf.Dataset(range(len(examples.labels)), partial(_sample, examples)),
                    partial(_mean_score, examples),
                    max_drop=self._largest_drop(examples, model),
                    **settings,
                    advanced_quantization_parameters=advanced,
                )
            openvino.save_model(quantized, folder / exported.name, compress_to_fp16=False)

    def _largest_drop(self, examples: CalibrationData, model: Any) -> float:
        """Return `max_drop` in the unit of the scores: of other scores than shares, it is relative."""
        import openvino

        assert self.max_drop is not None
        if not examples.share:
            compiled = openvino.Core().compile_model(model, "CPU")
            return self.max_drop * abs(_mean_score(examples, compiled, range(len(examples.labels)))[0])
        least = 1 / len(examples.labels)  # a drop of less than one image is no drop
        if self.max_drop < least:
            print(f"  max_drop={self.max_drop:g} is {least:.2g} here, of {len(examples.labels)} images")
        return max(self.max_drop, least)


def _sample(examples: CalibrationData, number: int) -> list[NDArray[Any]]:
    """Return the inputs of one sample of the validation split, as the model takes them."""
    return fields_of(examples.validation[number : number + 1])


def _mean_score(examples: CalibrationData, model: Any, numbers: Iterable[int]) -> tuple[float, None]:
    """Return the mean score of some samples of the validation split, as NNCF wants it."""
    chosen = [*numbers]
    outputs = [outputs_of([*model(_sample(examples, number)).values()]) for number in chosen]
    return float(examples.scores(np.concatenate(outputs), examples.labels[chosen]).mean()), None
