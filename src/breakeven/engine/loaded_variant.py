"""A loader for exported artifacts outside of a measurement, as functions from images to logits."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from breakeven.artifacts import artifact, records
from breakeven.artifacts.inference import predict_in_batches, safe_batch_size
from breakeven.artifacts.varying import from_manifest, require_within
from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.plugins.runtimes.base import ExecutionContext, Runtime, Session


class LoadedVariant:
    """A loaded artifact, called with images."""

    def __init__(self, manifest: artifact.Artifact, runtime: Runtime, session: Session) -> None:
        self.manifest, self._runtime, self._session = manifest, runtime, session

    def __call__(self, inputs: Any) -> Any:
        """Return the outputs, (N, ...): an array, or a tuple of arrays with the scored ones first.

        Args:
            inputs: uint8 of shape (N, C, H, W), tokens as int64 of shape (N, L), or features of shape (N, F);
                a tuple, or a mapping, of arrays where the model takes several.
        """
        images = records.as_samples(inputs, self.manifest.input_names)
        require_within(images, from_manifest(self.manifest.varying))
        size = self.manifest.scored_by(safe_batch_size(images, self._runtime.batch))

        def predict(part: NDArray[Any]) -> NDArray[Any]:
            return self._session.logits(self.manifest.inputs(part))

        return records.separated(predict_in_batches(predict, images, size))


def load_variant(folder: str | Path, *, threads: int = 1, device: str = "cpu") -> LoadedVariant:
    """Load an exported artifact and return a callable that turns images into logits.

    Args:
        folder: the folder of the artifact, such as `artifacts/export/FAMILY/VARIANT`.
        threads: the number of processor threads.
        device: the device in torch's notation: "cpu", "cuda:0".

    Raises:
        UserError: a file is missing or has changed, or Python cannot execute the artifact here.
    """
    folder = Path(folder)
    if not (folder / artifact.MANIFEST).is_file():
        raise UserError(f"{folder} is not the folder of an artifact: it holds no {artifact.MANIFEST}.")
    manifest = artifact.read(folder)
    artifact.verify(folder, manifest.files)
    runtime = plugin.load("runtimes", manifest.settings, f"runtimes.{manifest.runtime}")
    context = ExecutionContext(device, threads)
    try:
        runtime.start(folder, context)
        session = runtime.load(folder, context, manifest.preprocessing)
    except NotImplementedError:
        raise UserError(f"{manifest.variant} is executed by a program in C++, not by Python.") from None
    except Unsupported as error:
        raise UserError(f"{manifest.variant} cannot be loaded here: {error}.") from None
    return LoadedVariant(manifest, runtime, session)
