"""A recommended variant in MLflow's registry: `mlflow.pyfunc.load_model("models:/NAME@champion")`."""

import logging
import os
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import breakeven
from breakeven import artifact, deployed, tracking
from breakeven.errors import UserError
from breakeven.files import fingerprint
from breakeven.report import figures
from breakeven.result import Benchmark, Row
from breakeven.sync import figures_of
from breakeven.tracking import KEY, Store, Unreachable

CHAMPION = "champion"
OURS = ("psutil", "pydantic", "safetensors")  # what our own code needs besides


def name_of(row: Row) -> str:
    """Of the registered model: one a family, hardware, and way of calling."""
    return f"breakeven-{row.family}-{figures.place(row)}"


def register(
    row: Row,
    key: str,
    benchmark: Benchmark,
    folder: Path,
    hardware: dict[str, Any],
    images: NDArray[np.generic],
) -> str:
    """Register the artifact in `folder` and make it the champion; twice is as once.

    Args:
        row: what was measured of it, which is logged with the model.
        key: of the run that has the row.
        benchmark: that has the row; what is required to load the model is what it was measured with.
        hardware: the settings that it was measured with.
        images: some inputs, as an example of what it takes.

    Returns:
        The address to load it by.

    Raises:
        UserError: it cannot be loaded by Python, or was not logged yet.
        Unreachable: the store does not answer, or has no registry.
    """
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "1"  # of a server that is about to end
    with tracking.served() as uri, TemporaryDirectory() as scratch:
        import mlflow
        from mlflow.exceptions import MlflowException

        logging.getLogger("mlflow").setLevel(logging.WARNING)

        name = name_of(row)
        version = fingerprint(artifact.read(folder).files, asdict(row), hardware)
        try:
            client = mlflow.MlflowClient(uri, registry_uri=uri)
            known = {
                found.tags.get(KEY): found.version for found in client.search_model_versions(f"name='{name}'")
            }
            if version not in known:
                packed = Path(scratch, "packed")
                model = deployed.pack(folder, hardware, packed)
                known[version] = _log(uri, row, _run(key, row), packed, model, images, benchmark)
                client.set_model_version_tag(name, known[version], KEY, version)
                client.set_model_version_tag(name, known[version], "variant", row.variant)
            client.set_registered_model_alias(name, CHAMPION, known[version])
        except MlflowException as error:
            raise Unreachable(str(error).splitlines()[0]) from None
    return f"models:/{name}@{CHAMPION}"


def _log(
    uri: str,
    row: Row,
    run: str,
    packed: Path,
    model: deployed.Deployed,
    images: NDArray[np.generic],
    benchmark: Benchmark,
) -> str:
    """Log the packed model with a run, and register it; returns its version."""
    import mlflow
    from mlflow.models import infer_signature

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    versions = {**benchmark.machine["versions"], **{name: metadata.version(name) for name in OURS}}
    with mlflow.start_run(run):
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


def _run(key: str, row: Row) -> str:
    if not (found := Store().find(key)):
        raise UserError(f"{row.variant} is not in MLflow: run `breakeven sync`.")
    run: str = found.info.run_id
    return run
