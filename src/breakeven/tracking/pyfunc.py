"""The loader of a variant's files outside the pipeline. The loaded variant turns images into logits.

MLflow loads a registered variant by this module (`loader_module`).
"""

import shutil
from pathlib import Path
from typing import Any

from breakeven.artifacts import artifact, records
from breakeven.artifacts.inference import predict_in_batches, safe_batch_size
from breakeven.artifacts.varying import from_manifest, require_within
from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import read_json, write_json
from breakeven.plugins.runtimes.base import ExecutionContext

HARDWARE_FILE, ARTIFACT_FOLDER = "hardware.json", "artifact"


def pack(source: Path, hardware: dict[str, Any], target: Path) -> "LoadedVariant":
    """Copy an artifact and the settings of its hardware into one folder, and load it from there.

    Raises:
        UserError: Python cannot load it.
    """
    shutil.copytree(source, target / ARTIFACT_FOLDER, ignore=shutil.ignore_patterns(artifact.LOGITS))
    write_json(target / HARDWARE_FILE, hardware)
    try:
        return LoadedVariant(target)
    except NotImplementedError:
        variant = artifact.read(source).variant
        raise UserError(f"{variant} is executed by a program in C++: deploy the files in {source}.") from None
    except Unsupported as error:
        raise UserError(f"{artifact.read(source).variant} cannot be loaded here: {error}.") from None


class LoadedVariant:
    """A loaded variant, ready to be called."""

    def __init__(self, folder: Path) -> None:
        """Load what `pack` has written, with the hardware's number of threads.

        Raises:
            UserError: a file is missing or was changed.
            Unsupported: the runtime is not installed.
        """
        hardware = plugin.load("hardware", read_json(folder / HARDWARE_FILE), "hardware")
        files = folder / ARTIFACT_FOLDER
        self.card = artifact.read(files)
        artifact.verify(files, self.card.files)
        self.runtime = plugin.load("runtimes", self.card.settings, f"runtimes.{self.card.runtime}")
        context = ExecutionContext(hardware.device, hardware.threads)
        self.runtime.start(files, context)
        self.session = self.runtime.load(files, context, self.card.preprocessing)

    def predict(self, inputs: Any, params: object = None) -> Any:
        """Return the outputs, (N, ...): an array, or a dictionary of arrays with the scored ones first.

        Args:
            inputs: uint8, (N, C, H, W); tokens, int64, (N, L); features, (N, F); or a dictionary of arrays
                where the model takes several.
        """
        images = records.as_samples(inputs, self.card.input_names)
        require_within(images, from_manifest(self.card.varying))
        size = self.card.scored_by(safe_batch_size(images, self.runtime.batch))
        outputs = predict_in_batches(lambda part: self.session.logits(self.card.inputs(part)), images, size)
        return records.named(outputs)


def _load_pyfunc(path: str) -> LoadedVariant:
    """Load a variant for MLflow, which calls this function by its name."""
    return LoadedVariant(Path(path))
