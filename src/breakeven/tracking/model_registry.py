"""A recommended variant in MLflow's registry: `mlflow.pyfunc.load_model("models:/NAME@champion")`."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from packaging.utils import canonicalize_name

import breakeven
from breakeven.artifacts import artifact
from breakeven.core.errors import UserError
from breakeven.core.files import fingerprint
from breakeven.results.records import ResultRow
from breakeven.tracking import pyfunc
from breakeven.tracking.client import ANY, KEY, Tracker, Unreachable
from breakeven.tracking.study_runs import figures_of

CHAMPION = "champion"
OURS = ("psutil", "pydantic", "safetensors")  # what our own code needs besides
# In a process of its own
USE = """
import sys
import numpy as np
from breakeven.tracking.pyfunc import _load_pyfunc
_load_pyfunc(sys.argv[1]).predict(np.load(sys.argv[2]))
print(*{name.partition(".")[0] for name in sys.modules})
"""


def name_of(row: ResultRow) -> str:
    """Of the registered model: one a family, hardware, and way of calling."""
    return f"breakeven-{row.family}-{row.place}"


@dataclass(frozen=True)
class Candidate:
    """A variant that is to be registered."""

    row: ResultRow  # what was measured of it, which is logged with the model
    key: str  # of the run that has the row
    versions: dict[str, str]  # of the packages that it was measured with
    folder: Path  # of its artifact
    hardware: dict[str, Any]  # the settings that it was measured with
    images: NDArray[np.generic]  # some inputs, as an example of what it takes
    why: dict[str, str]  # it was chosen: tags of the version


def register(uri: str, candidate: Candidate) -> tuple[str, str]:
    """Register a variant with the server at `uri` and make it the champion; twice is as once.

    Returns:
        The address to load it by, and the variant that was the champion before; empty if none was.

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
        for tag, value in {KEY: version, "variant": row.variant, **candidate.why}.items():
            client.set_model_version_tag(name, known[version], tag, value)
        place: dict[str, Any] = next(
            (model.aliases for model in client.search_registered_models(f"name='{name}'")), {}
        )
        before = next((v.tags["variant"] for v in versions if str(v.version) == str(place.get(CHAMPION))), "")
        client.set_registered_model_alias(name, CHAMPION, known[version])
    except MlflowException as error:
        raise Unreachable(str(error).splitlines()[0]) from None
    return f"models:/{name}@{CHAMPION}", before


def _log(uri: str, candidate: Candidate) -> str:
    """Log the model with its benchmark's run, and register it; returns its version."""
    import mlflow
    from mlflow.models import infer_signature

    row, images = candidate.row, candidate.images
    if not (found := Tracker().find(candidate.key, ANY)):
        raise UserError(f"{row.variant} is not in MLflow: run `breakeven sync`.")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "1"  # of a server that is about to end
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    with TemporaryDirectory() as scratch:
        packed = Path(scratch, "packed")
        model = pyfunc.pack(candidate.folder, candidate.hardware, packed)
        np.save(example := Path(scratch, "example.npy"), images)
        versions = {name: candidate.versions[name] for name in _needed(packed, example, candidate.versions)}
        versions |= {name: metadata.version(name) for name in OURS}
        try:
            with mlflow.start_run(found.info.run_id):
                logged = mlflow.pyfunc.log_model(
                    name="variant",
                    loader_module="breakeven.tracking.pyfunc",
                    data_path=str(packed),
                    code_paths=[str(Path(breakeven.__file__).parent)],
                    signature=infer_signature(images, model.predict(images)),
                    input_example=images,
                    pip_requirements=[f"{name}=={version}" for name, version in versions.items()],
                    registered_model_name=name_of(row),
                )
                mlflow.log_metrics(figures_of(row), model_id=logged.model_id)
        finally:  # the run is over since the variant was measured
            Tracker().end(found.info.run_id, at=(found.info.end_time or 0) / 1000 or None)
    return str(logged.registered_model_version)


def _needed(packed: Path, example: Path, packages: Iterable[str]) -> list[str]:
    """Those of `packages` that it takes to load the variant and to call it."""
    command = [sys.executable, "-c", USE, str(packed), str(example)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"the packed variant does not run: {(done.stderr.strip().splitlines() or [''])[-1]}.")
    imported = {*done.stdout.splitlines()[-1].split()}
    homes = metadata.packages_distributions()  # module -> distributions
    used = {canonicalize_name(name) for module in imported for name in homes.get(module, [])}
    return [name for name in packages if canonicalize_name(name) in used]
