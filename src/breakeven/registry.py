"""A recommended variant in MLflow's registry: `mlflow.pyfunc.load_model("models:/NAME@champion")`."""

import logging
import os
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import breakeven
from breakeven import artifact, deployed
from breakeven.errors import UserError
from breakeven.files import fingerprint
from breakeven.report import figures
from breakeven.result import Row
from breakeven.sync import figures_of
from breakeven.tracking import KEY, Store, Unreachable

CHAMPION = "champion"
OURS = ("psutil", "pydantic", "safetensors")  # what our own code needs besides


def name_of(row: Row) -> str:
    """Of the registered model: one a family, hardware, and way of calling."""
    return f"breakeven-{row.family}-{figures.place(row)}"


@dataclass(frozen=True)
class Candidate:
    """A variant that is to be registered."""

    row: Row  # what was measured of it, which is logged with the model
    key: str  # of the run that has the row
    versions: dict[str, str]  # of the packages that it was measured with
    folder: Path  # of its artifact
    hardware: dict[str, Any]  # the settings that it was measured with
    images: NDArray[np.generic]  # some inputs, as an example of what it takes


def register(uri: str, candidate: Candidate) -> str:
    """Register a variant with the server at `uri` and make it the champion; twice is as once.

    Returns:
        The address to load it by.

    Raises:
        UserError: it cannot be loaded by Python, or was not logged yet.
        Unreachable: the store has no registry.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    row, name = candidate.row, name_of(candidate.row)
    version = fingerprint(artifact.read(candidate.folder).files, asdict(row), candidate.hardware)
    try:
        client = mlflow.MlflowClient(uri, registry_uri=uri)
        versions = client.search_model_versions(f"name='{name}'")
        known = {found.tags.get(KEY): found.version for found in versions}
        if version not in known:
            known[version] = _log(uri, candidate)
            client.set_model_version_tag(name, known[version], KEY, version)
            client.set_model_version_tag(name, known[version], "variant", row.variant)
        client.set_registered_model_alias(name, CHAMPION, known[version])
    except MlflowException as error:
        raise Unreachable(str(error).splitlines()[0]) from None
    return f"models:/{name}@{CHAMPION}"


def _log(uri: str, candidate: Candidate) -> str:
    """Log the model with its benchmark's run, and register it; returns its version."""
    import mlflow
    from mlflow.models import infer_signature

    row, images = candidate.row, candidate.images
    if not (found := Store().find(candidate.key)):
        raise UserError(f"{row.variant} is not in MLflow: run `breakeven sync`.")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "1"  # of a server that is about to end
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    versions = {**candidate.versions, **{name: metadata.version(name) for name in OURS}}
    with TemporaryDirectory() as scratch, mlflow.start_run(found.info.run_id):
        packed = Path(scratch, "packed")
        model = deployed.pack(candidate.folder, candidate.hardware, packed)
        logged = mlflow.pyfunc.log_model(
            name="variant",
            loader_module="breakeven.deployed",
            data_path=str(packed),
            code_paths=[str(Path(breakeven.__file__).parent)],
            signature=infer_signature(images, model.predict(images)),
            input_example=images,
            pip_requirements=[f"{name}=={version}" for name, version in versions.items()],
            registered_model_name=name_of(row),
        )
        mlflow.log_metrics(figures_of(row), model_id=logged.model_id)
    return str(logged.registered_model_version)
