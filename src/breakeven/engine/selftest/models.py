"""The models of the self-test. They are untrained, because weights do not change the time of a call."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import Artifact
from breakeven.core import plugin


@dataclass(frozen=True)
class Model:
    """A model to build, with the shape of its input."""

    name: str
    spec: dict[str, Any]  # `_target_` and arguments
    image: tuple[int, int, int]  # channels, height, width

    def images(self, count: int) -> NDArray[np.uint8]:
        """Return random images, uint8 of shape (count, channels, height, width)."""
        return np.random.default_rng(0).integers(0, 256, (count, *self.image), np.uint8)


CNN = Model("cnn", {"_target_": "breakeven.plugins.models.cnn.cnn"}, (1, 28, 28))
RESNET18 = Model("resnet18", {"_target_": "breakeven.plugins.models.resnet18.resnet18"}, (3, 32, 32))


def write(model: Model, runtime: str, folder: Path, settings: dict[str, Any] | None = None) -> Path:
    """Write an artifact of `model` for `runtime` into the new folder `folder`, and return the folder.

    Args:
        settings: the settings of the runtime; by default only its name.
    """
    import torch

    from breakeven.artifacts import model_size, saved_model
    from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
    from breakeven.plugins.runtimes.base import ExportInput

    settings = settings or {"name": runtime}
    shape = ImageInput(*model.image, classes=10)
    torch.manual_seed(0)
    module = saved_model.build(model.spec, shape).eval()
    middle = [0.5] * shape.channels
    size = model_size.count_work(module, shape)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as scratch:
        card = ModelManifest(
            family=model.name,
            recipe="none",
            title="random images",
            model=model.spec,
            shape=shape,
            mean=middle,
            std=middle,
            parameters=size.parameters,
            macs=size.macs,
            activations=size.activations,
            used_weights=size.used_weights,
            used_macs=size.used_macs,
            val_score=0.0,
            test_score=0.0,
            train_s=0.0,
            made="untrained",
            key="",
        )
        saved_model.save(Path(scratch), module, card)
        source = ExportInput(module, shape.example(2), Path(scratch), "outside")
        plugin.load("runtimes", settings, runtime).export(source, folder)
    built_artifact = Artifact(
        family=model.name,
        recipe="none",
        precision="fp32",
        quantization="",
        runtime=runtime,
        settings=settings,
        preprocessing="outside",
        mean=middle,
        std=middle,
        parameters=size.parameters,
        macs=size.macs,
        activations=size.activations,
        used_weights=size.used_weights,
        used_macs=size.used_macs,
    )
    artifact.save(folder, artifact.seal(folder, built_artifact))
    return folder


def made(model: Model, runtime: str, folder: Path, settings: dict[str, Any] | None = None) -> Path:
    """Return the folder of an artifact; write the artifact if the folder does not exist."""
    return folder if folder.exists() else write(model, runtime, folder, settings)


def again(artifact: Path, number: int) -> Path:
    """Return the folder of a numbered copy of an artifact; copy the artifact if there is none."""
    copy_folder = artifact.with_name(f"{artifact.name}-copy{number}")
    if not copy_folder.exists():
        copytree(artifact, copy_folder)
    return copy_folder
