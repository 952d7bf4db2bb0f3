"""Ranges of activations by ONNX Runtime's histograms, in memory that does not grow with the number of images.

One call of the tools' `collect_data` keeps the activations of all its images, and wants batches of one size.
So each batch gets a call of its own. A histogram grows without limit if a later batch has far larger values;
therefore the bins are laid over the whole range first.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.inference import batches
from breakeven.artifacts.records import fields_of, values_of_sample

BINS = 2048  # of a histogram: with the tools' default of 128, Entropy keeps the range of all values
BATCH_VALUES = 2**18  # of all images in a batch; all activations of a batch are in memory at once


def calibration_batches(images: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield (B, C, H, W) batches of at most 32 images, smaller ones for large images."""
    return batches(images, max(1, min(32, BATCH_VALUES // values_of_sample(images))))


def write_ranges(model: Path, images: NDArray[Any], method: Literal["Entropy", "Percentile"]) -> Path:
    """Write the ranges of all activations into a file beside `model`, and return its path.

    Args:
        model: an ONNX file in float32.
        images: (N, C, H, W), in the form that the model takes.
    """
    from onnxruntime.quantization import CalibrationMethod, create_calibrator, save_tensors_data

    calibrator = create_calibrator(
        model,
        augmented_model_path=str(model.with_suffix(".augmented")),
        calibrate_method=CalibrationMethod[method],
        extra_options={"num_bins": BINS},
    )
    calibrator.collector = _collector(calibrator, _largest(calibrator, images))
    for batch in calibration_batches(images):
        calibrator.collect_data(BatchReader(iter([batch])))
    ranges = model.with_suffix(".json")
    save_tensors_data(calibrator.compute_data(), ranges)
    return ranges


class BatchReader:
    """Gives batches to the tools."""

    def __init__(self, source: Iterator[NDArray[Any]]) -> None:
        self.source = source

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Return the next batch by the names of the inputs; None at the end."""
        batch = next(self.source, None)
        return None if batch is None else inputs_of(batch)


def inputs_of(batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return a batch by the names that the exported file gives its inputs."""
    fields, names = fields_of(batch), batch.dtype.names or ()
    return dict(zip(names if len(names) > 1 else ["images"], fields, strict=True))


def _largest(calibrator: Any, images: NDArray[Any]) -> dict[str, np.float32]:
    """Return the largest magnitude of each activation over all images."""
    names = [output.name for output in calibrator.infer_session.get_outputs()]
    largest = dict.fromkeys(calibrator.tensors_to_calibrate, np.float32(0))
    for batch in calibration_batches(images):
        for name, values in zip(names, calibrator.infer_session.run(None, inputs_of(batch)), strict=True):
            if name in largest and values.size:
                largest[name] = max(largest[name], np.abs(values).max().astype(np.float32))
    return largest


def _collector(calibrator: Any, largest: dict[str, np.float32]) -> Any:
    """Return a collector with an empty histogram over the range of each activation."""
    from onnxruntime.quantization.calibrate import HistogramCollector

    arguments = ("method", "symmetric", "num_bins", "num_quantized_bins", "percentile", "scenario")
    collector = HistogramCollector(*(getattr(calibrator, name) for name in arguments))
    for tensor, value in largest.items():
        end = value or np.float32(0.5)  # an activation that is always zero needs a range, too
        empty, smallest_yet, largest_yet = np.zeros(BINS, np.int64), end, -end
        if calibrator.symmetric:  # of magnitudes
            edges = np.linspace(0, end, BINS + 1, dtype=np.float32)
            collector.histogram_dict[tensor] = (empty, edges, smallest_yet, largest_yet)
        else:
            edges = np.linspace(-end, end, BINS + 1, dtype=np.float32)
            collector.histogram_dict[tensor] = (empty, edges, smallest_yet, largest_yet, end)
    return collector
