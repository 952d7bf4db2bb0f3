"""A model with its outputs in eager mode, against which its artifacts are checked."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, disk_array, inference, records
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import read_card
from breakeven.artifacts.varying import dimensions_of
from breakeven.plugins.runtimes.base import ExportInput

NOTED = 8  # test images in which denormal activations are looked for


class Reference:
    """A model with its outputs in eager mode, against which all its artifacts are checked.

    The manifest may say that there is no such model, so the weights are loaded at their first use. The model
    that is exported is another one than the model that is scored: calls may change a model.
    """

    def __init__(self, folder: Path, test: Images, preprocessing: str) -> None:
        self.card = read_card(folder)
        self.preprocessing = preprocessing if self.card.mean else "outside"  # tokens need none
        self.folder, self._images, self.varying = folder, test.images, dimensions_of(self.card)
        self.resized: dict[str, NDArray[np.float32]] = {}  # sizes, in words -> eager's logits
        self.probed: dict[str, NDArray[np.float32]] = {}  # a change of the inputs -> eager's logits
        self.fault: Exception | None = None  # why eager's logits cannot be computed

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to export the model: of the images only a few."""
        return {
            "card": self.card,
            "preprocessing": self.preprocessing,
            "folder": self.folder,
            "_images": self._images[:NOTED],
            "varying": self.varying,
        }

    @cached_property
    def source(self) -> ExportInput:
        """Return the model as runtimes and toolchains export it."""
        import torch

        from breakeven.artifacts import saved_model
        from breakeven.artifacts.preprocess import Preprocess
        from breakeven.artifacts.tensors import to_tensors

        with torch.no_grad():  # weights that a constructor computes from others would hold their history
            model = saved_model.load(self.folder)[0]
        if self.preprocessing == "inside":
            dimensions = 1 + len(self.card.shape.sample)
            model = torch.nn.Sequential(Preprocess(self.card.mean, self.card.std, dimensions), model).eval()
        inputs = artifact.model_inputs(self._images[:2], self.preprocessing, self.card.mean, self.card.std)
        return ExportInput(
            model,
            to_tensors(inputs),
            self.folder,
            self.preprocessing,
            varying=self.varying,
            input_names=tuple(self.card.input_names),
        )

    @cached_property
    def notes(self) -> list[str]:
        """Return what a reader of the figures of all its artifacts has to know."""
        from breakeven.artifacts import saved_model
        from breakeven.artifacts.denormal import denormal_note
        from breakeven.artifacts.tensors import to_tensors

        inputs = artifact.model_inputs(self._images[:NOTED], "outside", self.card.mean, self.card.std)
        model = saved_model.load(self.folder)[0]  # another one than the model that is exported
        return [*filter(None, [denormal_note(model, to_tensors(inputs))])]

    @cached_property
    def logits(self) -> NDArray[np.float32]:
        """Return eager's logits on the whole test set, (N, ...)."""
        return eager_logits(self.folder, self._images)


def eager_resized(folder: Path, files: Sequence[Path]) -> list[NDArray[np.float32]]:
    """Return the outputs of the model in `folder` in eager mode for each file of inputs."""
    return [eager_logits(folder, file) for file in files]


def eager_probed(folder: Path, files: Mapping[str, Path]) -> dict[str, NDArray[np.float32]]:
    """Return the outputs in eager mode for each file of changed inputs.

    Inputs that the model refuses, or gives no finite numbers for, say nothing about an artifact.
    """
    found = {}
    for words_of_change, file in files.items():
        try:
            outputs = eager_logits(folder, file)
        except Exception:
            continue
        if records.is_finite(outputs):
            found[words_of_change] = outputs
    return found


def eager_logits(folder: Path, images: NDArray[Any] | Path) -> NDArray[np.float32]:
    """Return the logits of the model in `folder`, (N, ...), computed in eager mode.

    Args:
        folder: the folder of the model.
        images: (N, C, H, W) uint8, or tokens (N, L); or a file with them.
    """
    from breakeven.artifacts import saved_model
    from breakeven.artifacts.preprocess import predictor

    model, card = saved_model.load(folder)
    predict = predictor(model, card.mean, card.std)
    inputs = disk_array.load(images) if isinstance(images, Path) else images
    return inference.predict_in_batches(predict, inputs)
