"""The registration of recommended variants in MLflow.

A user loads one with `mlflow.pyfunc.load_model("models:/NAME@champion")`.
"""

import contextlib
import io
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, dataset, records, variants
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.core.files import temporary_folder
from breakeven.core.plugin import did_you_mean
from breakeven.core.progress import shown
from breakeven.core.secrets import redact, redact_error
from breakeven.results.result_row import ResultRow, title
from breakeven.results.study_results import StudyResults
from breakeven.tracking import hidden_tags, packed_code, pyfunc, study_runs, version_description
from breakeven.tracking.address import Unreachable, required
from breakeven.tracking.client import ANY_STATUS, Tracker
from breakeven.tracking.server import served

CHAMPION = "champion"
EXAMPLES = 2  # inputs
# The largest difference of a logit from what was scored, as a share of the largest logit. Another number of
# images at once, or another device, rounds otherwise: in bf16 by some percent.
SAME_LOGITS = 0.05
PACKING = 2  # the form of a packed variant; a variant of an earlier form is registered anew


def name_of(row: ResultRow) -> str:
    """Return the name of the registered model. Each family has one on each hardware in each scenario."""
    return f"breakeven-{row.family}-{row.place}"


@dataclass(frozen=True)
class Candidate:
    """A variant to register."""

    row: ResultRow  # its measurements, which are logged with the model
    key: str  # of the run that has the row
    versions: dict[str, str]  # of the packages that it was measured with
    folder: Path  # of its artifact
    hardware: dict[str, Any]  # the settings that it was measured with
    images: NDArray[np.generic]  # example inputs
    logits: NDArray[np.float32]  # of these inputs, as they were when the variant was scored
    why: dict[str, str]  # why it was chosen, for the version's description


@dataclass(frozen=True)
class Champion:
    """A registered variant."""

    address: str  # to load it by
    model: str  # the name of the registered model
    version: str
    previous: str  # the variant that was the champion before; empty if none was


@dataclass(frozen=True)
class Registration:
    """The outcome of a variant's registration."""

    row: ResultRow
    champion: Champion | None = None
    refusal: str = ""  # why the variant is not registered


def register_all(
    study: Study, results: StudyResults, chosen: Sequence[tuple[ResultRow, dict[str, str]]]
) -> Iterator[Registration]:
    """Log the study to MLflow, register the chosen variants, and yield what became of each.

    Args:
        chosen: rows, each with the reason of its choice as tags.

    Raises:
        UserError: MLflow cannot be used.
    """
    with required():
        study_runs.sync(study, results)  # the registered models refer to its runs
        key = study_runs.key_of(study, results)
        with shown("registering", len(chosen)) as bar, served() as uri:
            for number, (row, why) in enumerate(chosen):
                bar.tell(number, f"{row.family}, {row.variant}")
                try:
                    candidate = _candidate(study, results, row, study_runs.key_of_row(key, row), why)
                    # MLflow, and what it imports, print lines that no option turns off.
                    with contextlib.redirect_stderr(io.StringIO()):
                        champion = register(uri, candidate)
                    yield Registration(row, champion)
                except UserError as error:
                    yield Registration(row, refusal=str(error))


def _candidate(
    study: Study, results: StudyResults, row: ResultRow, key: str, why: dict[str, str]
) -> Candidate:
    artifacts = variants.read_variants(row.family)
    if row.variant not in artifacts:
        raise UserError(
            f"{row.family}: {row.variant}: {did_you_mean(row.variant, artifacts)} Run `dvc repro`."
        )
    folder = artifacts[row.variant][0]
    return Candidate(
        row=row,
        key=key,
        versions=results.of(row).machine["versions"],
        folder=folder,
        hardware=study.hardware[row.hardware],
        images=dataset.load_split(paths.prepared(study.family(row.family).data), "test").images[:EXAMPLES],
        logits=np.load(folder / artifact.LOGITS)[:EXAMPLES],
        why=why,
    )


def register(uri: str, candidate: Candidate) -> Champion:
    """Register a variant with the server at `uri` and make it the champion. Safe to repeat.

    Raises:
        UserError: Python cannot load the variant, here or in another folder, or its run is not in MLflow yet.
        Unreachable: the store has no registry.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    row, name = candidate.row, name_of(candidate.row)
    version = fingerprint(artifact.read(candidate.folder).files, asdict(row), candidate.hardware, PACKING)
    try:
        client = mlflow.MlflowClient(uri, registry_uri=uri)
        versions = client.search_model_versions(f"name='{name}'")
        registered = {hidden_tags.read(model.tags, hidden_tags.KEY): model.version for model in versions}
        if version not in registered:
            registered[version] = _log(uri, candidate)
        own = registered[version]
        limits = {"limits": candidate.why["limits"]} if "limits" in candidate.why else {}
        for tag, value in {
            hidden_tags.name(hidden_tags.KEY): version,
            "variant": row.variant,
            **limits,
        }.items():
            client.set_model_version_tag(name, own, tag, redact(value))
        text = redact(version_description.describe(row, candidate.why, f"models:/{name}/{own}"))
        client.update_model_version(name, own, text)
        client.update_registered_model(name, f"{row.family} on {title(row)}: what Breakeven recommends.")
        aliases: dict[str, Any] = next(
            (model.aliases for model in client.search_registered_models(f"name='{name}'")), {}
        )
        champion = str(aliases.get(CHAMPION))
        previous = next((v.tags["variant"] for v in versions if str(v.version) == champion), "")
        client.set_registered_model_alias(name, CHAMPION, own)
    except MlflowException as error:
        raise Unreachable(redact_error(error)) from None
    return Champion(f"models:/{name}@{CHAMPION}", name, str(own), previous)


def _log(uri: str, candidate: Candidate) -> str:
    """Log the model with its benchmark's run, register it, and return its version."""
    import mlflow

    row, images = candidate.row, candidate.images
    varying = artifact.read(candidate.folder).varying
    if not (run := Tracker().find(candidate.key, ANY_STATUS)):
        raise UserError(f"{row.variant} is not in MLflow: run `breakeven sync`.")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "1"  # the URL is of a server that is about to end
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    with temporary_folder() as scratch:
        packed = Path(scratch, "packed")
        model = pyfunc.pack(candidate.folder, candidate.hardware, packed)
        predicted = model.predict(images)
        _require_same(row, records.as_samples(predicted), candidate.logits)
        np.save(example := Path(scratch, "example.npy"), images)
        modules = packed_code.pack_code(packed, example, code := Path(scratch, "code"))
        versions = packed_code.requirements(packed, modules, candidate.versions)
        try:
            with mlflow.start_run(run.info.run_id):
                logged = mlflow.pyfunc.log_model(
                    name=name_of(row),
                    loader_module="breakeven.tracking.pyfunc",
                    data_path=str(packed),
                    code_paths=[str(path) for path in sorted(code.iterdir())],
                    signature=signature(images, predicted, varying),
                    input_example=records.named(images),
                    pip_requirements=[f"{name}=={version}" for name, version in versions.items()],
                    registered_model_name=name_of(row),
                )
                # MLflow gives the model the metrics of its run.
        finally:  # the run ended when the variant was measured
            Tracker().end(run.info.run_id, at=(run.info.end_time or 0) / 1000 or None)
    return str(logged.registered_model_version)


def signature(images: NDArray[Any], predicted: Any, varying: Sequence[Mapping[str, Any]]) -> Any:
    """Return MLflow's signature of a model, in which the sizes of inputs that vary are open.

    Args:
        images: example inputs, (N, ...), or records of several.
        predicted: what the model gives for them.
        varying: dimensions, each with its `axes`: the number of an input, and the axis of its samples.
    """
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import Schema, TensorSpec

    found = infer_signature(records.named(images), predicted)
    names: Sequence[str | None] = images.dtype.names or (None,)
    numbers = {name: number for number, name in enumerate(names)}
    opened: list[Any] = []
    for spec in found.inputs.inputs:
        shape = [*spec.shape]
        for axis in (axis for one in varying for number, axis in one["axes"] if number == numbers[spec.name]):
            shape[axis + 1] = -1
        opened.append(TensorSpec(spec.type, shape, spec.name))
    return ModelSignature(inputs=Schema(opened), outputs=found.outputs)


def _require_same(row: ResultRow, now: NDArray[Any], then: NDArray[Any]) -> None:
    """Raise a `UserError` if a variant, with the code that is packed now, gives other logits than it had.

    The accuracy and the speed in the registry would be those of other code.
    """
    off = records.errors(now, then)[1]
    if not off <= SAME_LOGITS:  # nor if it is not a number
        raise UserError(
            f"{row.variant} gives other logits than those that were scored (off by {off:.0%} of the largest "
            "one): the code of its model, or a library, has changed since. Run `dvc repro`."
        )
