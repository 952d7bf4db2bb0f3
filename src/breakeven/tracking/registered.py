"""A variant that MLflow's registry holds, downloaded."""

import contextlib
import io
import logging
from dataclasses import dataclass
from pathlib import Path

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import MANIFEST
from breakeven.core.errors import UserError
from breakeven.core.secrets import redact_error
from breakeven.tracking.address import required, shown_address
from breakeven.tracking.server import served


@dataclass(frozen=True)
class Registered:
    """A version of a registered model."""

    variant: str
    version: str
    folder: Path  # of its artifact


def download(name: str, alias: str, target: Path) -> Registered:
    """Download the version of a registered model that has an alias.

    Args:
        name: of the registered model.
        target: a folder for the files.

    Raises:
        UserError: MLflow cannot be used, or has no such version.
    """
    with required(), served() as uri:
        import mlflow
        from mlflow.exceptions import MlflowException

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        try:
            client = mlflow.MlflowClient(uri, registry_uri=uri)
            version = client.get_model_version_by_alias(name, alias)
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)
            with contextlib.redirect_stderr(io.StringIO()):  # a bar of its own
                mlflow.artifacts.download_artifacts(f"models:/{name}/{version.version}", dst_path=str(target))
        except MlflowException as error:
            raise UserError(
                f"{name}@{alias} is not in the registry at {shown_address()}: {redact_error(error)} "
                "`breakeven recommend` registers the champion."
            ) from None
    found = sorted(target.rglob(MANIFEST))
    if len(found) != 1:
        raise UserError(f"{name}@{alias} holds no variant of Breakeven.")
    return Registered(artifact.read(found[0].parent).variant, str(version.version), found[0].parent)
