"""What a service answers with: a variant of a family, eager beside it, and what clients send and are told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, dataset
from breakeven.artifacts.artifact import BASELINE, Artifact
from breakeven.artifacts.model_manifest import Input
from breakeven.artifacts.variants import read_variants
from breakeven.artifacts.varying import VaryingDimension, from_manifest
from breakeven.config.study import Study
from breakeven.core import paths, plugin
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean


@dataclass(frozen=True)
class ServedModel:
    """A variant and its fallback."""

    family: str
    folder: Path  # of the variant's artifact
    manifest: Artifact
    eager: Path  # the folder of the baseline's artifact
    classes: list[str]
    shape: Input
    example: NDArray[Any]  # (1, ...), a sample of the test set

    @property
    def digest(self) -> str:
        """Return the sha256 of the artifact: of its file, or of the digests of its files."""
        digests = self.manifest.files
        return next(iter(digests.values())) if len(digests) == 1 else fingerprint(digests)

    @property
    def varying(self) -> tuple[VaryingDimension, ...]:
        """Return the dimensions of its inputs that may have other sizes."""
        return from_manifest(self.manifest.varying)

    @property
    def is_classification(self) -> bool:
        """Return whether answers are classes with probabilities."""
        return bool(self.manifest.task["name"] == "classification")


def served_model(study: Study, family: str, variant: str, folder: Path | None = None) -> ServedModel:
    """Return a variant of this project, ready to be served.

    Args:
        folder: of the artifact, if it is elsewhere: downloaded from a registry, for example.

    Raises:
        UserError: there is no such variant, it was not built, or Python does not execute it.
    """
    found = read_variants(family)
    if not folder and variant not in found:
        raise UserError(f"{family}: {variant}: {did_you_mean(variant, found)}")
    manifest = artifact.read(folder) if folder else found[variant][1]
    if manifest.status != "ok":
        raise UserError(f"{family}: {variant} was not built: {manifest.reason}.")
    if runs_in_program(manifest):
        raise UserError(
            f"{family}: {variant} runs in a program of its own, and the service calls variants from Python: "
            "name a --variant of another runtime."
        )
    prepared = paths.prepared(study.family(family).data)
    data = dataset.manifest(prepared)
    return ServedModel(
        family=family,
        folder=folder or found[variant][0],
        manifest=manifest,
        eager=found[BASELINE][0],
        classes=data.classes,
        shape=data.shape,
        example=np.ascontiguousarray(dataset.load_split(prepared, "test").images[:1]),
    )


def runs_in_program(manifest: Artifact) -> bool:
    """Return whether a variant runs in a program of its own, which the service cannot call."""
    return bool(plugin.load("runtimes", manifest.settings, f"runtimes.{manifest.runtime}").has_program)


def is_made_here(model: ServedModel) -> bool:
    """Return whether this project has the same variant, made of the same weights and settings."""
    here = read_variants(model.family).get(model.manifest.variant)
    return here is not None and here[1].key == model.manifest.key
