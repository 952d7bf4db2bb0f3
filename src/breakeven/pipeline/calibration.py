"""The images that toolchains calibrate with, in files that the process of each row reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import disk_array
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.records import leading
from breakeven.plugins.quantization.base import CalibrationData, Quantization
from breakeven.plugins.runtimes.base import ExportInput, Runtime
from breakeven.plugins.tasks.base import PERCENT, Task


@dataclass(frozen=True)
class LazyInputs:
    """Samples that take the form of the artifact when they are read: all at once may need much memory."""

    samples: NDArray[Any]
    inputs: Callable[[NDArray[Any]], NDArray[Any]]

    def __getitem__(self, chosen: slice) -> NDArray[Any]:
        """Return some samples in the form that the artifact takes."""
        return self.inputs(self.samples[chosen])


@dataclass(frozen=True)
class CalibrationFiles:
    """Files with calibration and validation images, as they are in the dataset."""

    folder: Path
    task: Task
    scored: int = 1  # how many of the model's outputs are scored

    def write(self, calibration: NDArray[Any], validation: Images) -> None:
        """Write the files.

        Args:
            calibration: (N, C, H, W) images or (N, L) tokens of the training split.
            validation: the validation split.
        """
        np.save(self.folder / "calibration.npy", calibration)
        np.save(self.folder / "validation.npy", validation.images)
        np.save(self.folder / "labels.npy", validation.labels)

    def read(self, inputs: Callable[[NDArray[Any]], NDArray[Any]]) -> CalibrationData:
        """Return the data of the files; `inputs` turns images into the form that the artifact takes."""
        names = ("calibration", "validation", "labels")
        calibration, validation, labels = (disk_array.load(self.folder / f"{name}.npy") for name in names)
        return CalibrationData(
            inputs(calibration),
            LazyInputs(validation, inputs),
            labels,
            self._scores,
            self.task.unit == PERCENT,
        )

    def _scores(self, outputs: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.float64]:
        """Return the task's score of each sample, so that larger is better."""
        scores = self.task.scores(leading(outputs, self.scored), targets)
        return scores if self.task.better == "higher" else -scores


def quantize_from(
    files: CalibrationFiles,
    inputs: Callable[[NDArray[Any]], NDArray[Any]],
    toolchain: Quantization,
    runtime: Runtime,
    source: ExportInput,
    folder: Path,
) -> None:
    """Quantize a model with the data of the files, and write the artifact into `folder`.

    Args:
        files: the files with the images.
        inputs: turns images into the form that the artifact takes.
        toolchain: quantizes the model.
        runtime: will execute the artifact.
        source: the model.
        folder: the artifact's folder.
    """
    toolchain.quantize(files.read(inputs), runtime, source, folder)
